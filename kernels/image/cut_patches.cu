#include "kernels/activation.cuh"
#include "kernels/image/cut_patches.h"
#include "kernels/launch.cuh"
#include "kernels/pack.cuh"

namespace karyon::kernels::gpu {
namespace {

constexpr int block_threads = 128;
/// Values of a row that a block takes: whole pixels, whole packs.
constexpr int block_values = 768;

/// Mirrors without repeating the outermost pixel, as often as it takes.
__device__ int reflect(int i, int size) {
    if (size == 1) return 0;
    const int turn = 2 * (size - 1);
    i = (i % turn + turn) % turn;
    return i < size ? i : turn - i;
}

/// The levels of a piece of a patch's row, in shared memory; `shift` bytes stand before the first.
struct Row {
    alignas(4) std::uint8_t bytes[block_values + 8];
};

// The piece lies inside the image: it is one run of bytes, loaded as the words that hold it. A word that reaches beyond
// the image is loaded byte by byte.
__device__ int load_inside(const std::uint8_t* image, std::int64_t image_bytes, std::int64_t begin, int count,
                           Row& row) {
    const int shift = static_cast<int>(begin % 4), words = (shift + count + 3) / 4;
    for (int word = static_cast<int>(threadIdx.x); word < words; word += block_threads) {
        const std::int64_t from = begin - shift + 4 * word;
        if (from + 4 <= image_bytes)
            reinterpret_cast<std::uint32_t*>(row.bytes)[word] = *reinterpret_cast<const std::uint32_t*>(image + from);
        else
            for (std::int64_t i = from; i < image_bytes; ++i) row.bytes[4 * word + (i - from)] = image[i];
    }
    return shift;
}

// The piece crosses the border, or the image is not aligned.
__device__ int load_across(const PatchShape& shape, const std::uint8_t* image, int x, int y, int count, Row& row) {
    const bool mirrored = shape.border == PatchBorder::reflect;
    const int v = mirrored ? reflect(y, shape.height) : y;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads) {
        const int u = mirrored ? reflect(x + i / 3, shape.width) : x + i / 3;
        const bool inside = u >= 0 && u < shape.width && v >= 0 && v < shape.height;
        row.bytes[i] = inside ? image[(std::int64_t{v} * shape.width + u) * 3 + i % 3] : std::uint8_t{0};
    }
    return 0;
}

// A block takes a piece of one row of one patch.
template <typename T>
__global__ void __launch_bounds__(block_threads)
    cut_patches_kernel(PatchShape shape, bool words, bool packs, ChannelScale scale, const std::uint8_t* image,
                       const Pack<std::int32_t, 2>* corners, T* out) {
    __shared__ Row row;
    const int row_values = shape.size * 3, pieces = (row_values + block_values - 1) / block_values;
    const unsigned row_of_all = blockIdx.x / pieces;
    const int piece = static_cast<int>(blockIdx.x % pieces) * block_values;
    const unsigned patch = row_of_all / shape.size, v = row_of_all % shape.size;
    const int count = min(block_values, row_values - piece);
    const Pack<std::int32_t, 2> corner = corners[patch];
    const int x = corner.at[0] + piece / 3, y = corner.at[1] + static_cast<int>(v);

    const bool inside = words && x >= 0 && x + count / 3 <= shape.width && y >= 0 && y < shape.height;
    const std::int64_t image_bytes = std::int64_t{3} * shape.height * shape.width;
    const int shift = inside ? load_inside(image, image_bytes, (std::int64_t{y} * shape.width + x) * 3, count, row)
                             : load_across(shape, image, x, y, count, row);
    __syncthreads();

    const auto value = [&](int i) {
        const int c = i % 3;
        const float gain = c == 0 ? scale.gain[0] : c == 1 ? scale.gain[1] : scale.gain[2];
        const float offset = c == 0 ? scale.shift[0] : c == 1 ? scale.shift[1] : scale.shift[2];
        return from_float<T>(static_cast<float>(row.bytes[shift + i]) * gain + offset);
    };
    constexpr int width = Pack<T>::width;
    T* to = out + std::int64_t{row_of_all} * row_values + piece;
    if (packs) {
        for (int i = static_cast<int>(threadIdx.x) * width; i < count; i += block_threads * width) {
            Pack<T> pack;
#pragma unroll
            for (int k = 0; k < width; ++k) pack.at[k] = value(i + k);
            *reinterpret_cast<Pack<T>*>(to + i) = pack;
        }
    } else {
        for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads) to[i] = value(i);
    }
}

}  // namespace

void cut_patches(Stream& stream, const PatchShape& shape, const ChannelScale& scale, In image, In corners, Out out) {
    if (shape.width < 1 || shape.height < 1)
        throw Error("cut_patches", "expected an image with pixels, got {}x{}", shape.width, shape.height);
    const auto* places = corners.as<std::int32_t>();
    if (!is_aligned(places, 8))
        throw Error("cut_patches", "expected corners aligned to 8 bytes, got {}", fmt::ptr(places));
    if (shape.patches == 0 || shape.size == 0) return;
    with_float_type("cut_patches", out.dtype(), [&]<typename T>() {
        const auto* from = image.as<std::uint8_t>();
        T* to = out.as<T>();
        const std::int64_t pieces = (std::int64_t{3} * shape.size + block_values - 1) / block_values;
        const auto blocks = static_cast<unsigned>(pieces * shape.size * shape.patches);
        const bool packs = 3 * shape.size % Pack<T>::width == 0 && is_aligned(to);
        launch("cut_patches", stream, {blocks, block_threads}, cut_patches_kernel<T>, shape, is_aligned(from, 4), packs,
               scale, from, reinterpret_cast<const Pack<std::int32_t, 2>*>(places), to);
    });
}

}  // namespace karyon::kernels::gpu
