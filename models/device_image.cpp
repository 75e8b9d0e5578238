#include "models/device_image.h"

#include "tensor/stream.h"

#if KARYON_HAS_CUDA
#include "kernels/image/cut_patches.h"
#include "kernels/image/stain_transfer.h"
#endif

namespace karyon {

#if KARYON_HAS_CUDA

using namespace kernels;

DeviceImage::DeviceImage(const Image& image, Device device) {
    if (image.width < 1 || image.height < 1)
        throw Error("device image", "expected an image with pixels, got {}x{}", image.width, image.height);
    if (device.kind != Device::Kind::cuda) throw Error("device image", "expected a GPU, got {}", name_of(device));
    levels_ = Tensor::empty({image.height, image.width, 3}, DType::u8, device);
    levels_.copy_from_bytes(std::as_bytes(std::span(image.pixels)));
}

void DeviceImage::normalise(const StainModel& source, const StainModel& target) {
    if (source.fallback || target.fallback) return;
    StainTransfer transfer;
    const auto gain = transfer_gain(source, target);
    for (int in = 0; in < 3; ++in)
        for (int out = 0; out < 3; ++out) transfer.gain[in][out] = float(gain[in][out]);
    const Tensor result = levels_.empty_like();
    gpu::stain_transfer(current_stream(levels_.device()), levels_.size() / 3, transfer, {}, levels_, result);
    levels_ = result;
}

Tensor DeviceImage::cut(std::span<const Corner> corners, int size, Border border, const InputScaling& scaling,
                        DType type) const {
    const auto count = std::int64_t(corners.size());
    Tensor places = Tensor::empty({count, 2}, DType::i32);
    for (std::int64_t i = 0; i < count; ++i) {
        places.data<std::int32_t>()[2 * i] = corners[i].x;
        places.data<std::int32_t>()[2 * i + 1] = corners[i].y;
    }
    ChannelScale scale;
    for (int c = 0; c < 3; ++c) {
        scale.gain[c] = 1 / (255 * scaling.std[c]);
        scale.shift[c] = -scaling.mean[c] / scaling.std[c];
    }
    const PatchShape shape{int(levels_.dim(0)), int(levels_.dim(1)), int(count), size,
                           border == Border::zero ? PatchBorder::zero : PatchBorder::reflect};
    Tensor patches = Tensor::empty({count, size, size, 3}, type, levels_.device());
    gpu::cut_patches(current_stream(levels_.device()), shape, scale, levels_, places.to(levels_.device()), patches);
    return patches;
}

#else

DeviceImage::DeviceImage(const Image&, Device device) {
    throw Error("device image", "expected a GPU, got {}", name_of(device));
}

void DeviceImage::normalise(const StainModel&, const StainModel&) {}

Tensor DeviceImage::cut(std::span<const Corner>, int, Border, const InputScaling&, DType) const { return {}; }

#endif

}  // namespace karyon
