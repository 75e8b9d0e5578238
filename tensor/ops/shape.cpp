#include "tensor/ops/shape.h"

#include "kernels/elementwise/add.h"
#include "kernels/elementwise/concat.h"
#include "kernels/resample/bilinear_resize.h"
#include "kernels/resample/pad_crop.h"
#include "kernels/resample/upsample_concat.h"
#include "kernels/resample/upsample_nearest.h"
#include "tensor/autograd.h"
#include "tensor/ops/check.h"
#include "tensor/stream.h"

namespace karyon {

using namespace kernels;

namespace {

Tensor concat_now(const std::vector<Tensor>& parts) {
    Shape shape = parts.front().shape();
    std::vector<ConcatInput> inputs;
    shape.back() = 0;
    for (const Tensor& part : parts) {
        inputs.push_back({part, int(part.shape().back())});
        shape.back() += part.shape().back();
    }
    Tensor y = parts.front().empty_like(shape);
    KARYON_RUN(y.device(), concat_forward, y.size() / shape.back(), inputs, y);
    return y;
}

Tensor upsample_now(const UpsampleShape& shape, const Tensor& x) {
    Tensor y = x.empty_like({shape.batch, 2 * shape.height, 2 * shape.width, shape.channels});
    KARYON_RUN(x.device(), upsample_nearest_forward, shape, x, y);
    return y;
}

Tensor upsample_concat_now(const UpsampleConcatShape& s, const Tensor& x, const Tensor& skip) {
    Tensor y = x.empty_like({s.low.batch, 2 * s.low.height, 2 * s.low.width, s.low.channels + s.skip_channels});
    cpu::upsample_concat_forward(current_stream(x.device()), s, x, skip, y);
    return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
    require_shape("add", "b", b, a.shape());
    Tensor y = a.empty_like();
    KARYON_RUN(a.device(), add, y.size(), a, b, y);
    return record("add", std::move(y), {a, b}, [](const Tensor& dy, const Gradients& gradients) {
        for (const std::size_t input : {0, 1})
            if (gradients.wanted(input)) gradients.deliver(input, dy);
    });
}

Tensor drop_connect_scales(const DropConnect& drop, Device device, const Tensor& stream_offset) {
    Tensor scale = Tensor::empty({drop.batch}, DType::f32, device);
    KARYON_RUN(device, drop_connect_scales, drop, stream_offset, scale);
    return scale;
}

Tensor scale_images(const Tensor& x, const Tensor& scale) {
    const int batch = int(x.dim(0));
    require_shape("scale_images", "scale", scale, {batch});
    Tensor y = x.empty_like();
    KARYON_RUN(x.device(), scale_images, batch, x.size() / batch, x, scale, y);
    return record("scale_images", std::move(y), {x}, [batch, scale](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like();
        KARYON_RUN(dy.device(), scale_images, batch, dy.size() / batch, dy, scale, dx);
        gradients.deliver(0, std::move(dx));
    });
}

Tensor concat_channels(const std::vector<Tensor>& parts) {
    if (parts.empty()) throw Error("concat_channels", "expected at least one tensor, got none");
    std::vector<Saved> saved;
    std::vector<Shape> shapes;
    for (const Tensor& part : parts) {
        Shape shape = parts.front().shape();
        shape.back() = part.shape().back();
        require_shape("concat_channels", "part", part, shape);
        shapes.push_back(shape);
    }
    Tensor y = concat_now(parts);
    if (!will_record(parts)) return y;
    for (const Tensor& part : parts) saved.emplace_back(part);
    y = record("concat_channels", std::move(y), parts, [shapes](const Tensor& dy, const Gradients& gradients) {
        std::vector<Tensor> gradient(shapes.size());
        std::vector<ConcatOutput> outputs;
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            if (gradients.wanted(i)) gradient[i] = dy.empty_like(shapes[i]);
            outputs.push_back({gradient[i], int(shapes[i].back())});
        }
        KARYON_RUN(dy.device(), concat_backward, dy.size() / dy.shape().back(), dy, outputs);
        for (std::size_t i = 0; i < shapes.size(); ++i)
            if (gradients.wanted(i)) gradients.deliver(i, std::move(gradient[i]));
    });
    return recomputable(std::move(y), [saved] {
        std::vector<Tensor> again;
        for (const Saved& part : saved) again.push_back(part.get());
        return concat_now(again);
    });
}

Tensor upsample_nearest(const Tensor& x) {
    require_rank("upsample_nearest", "x", x, 4);
    const UpsampleShape shape{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(x.dim(3))};
    Tensor y = upsample_now(shape, x);
    if (!will_record({x})) return y;
    y = record("upsample_nearest", std::move(y), {x}, [shape](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like({shape.batch, shape.height, shape.width, shape.channels});
        KARYON_RUN(dy.device(), upsample_nearest_backward, shape, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
    return recomputable(std::move(y), [shape, saved_x = Saved(x)] { return upsample_now(shape, saved_x.get()); });
}

Tensor upsample_concat(const Tensor& x, const Tensor& skip) {
    if (x.device().kind != Device::Kind::cpu) return concat_channels({upsample_nearest(x), skip});
    require_rank("upsample_concat", "x", x, 4);
    require_rank("upsample_concat", "skip", skip, 4);
    require_shape("upsample_concat", "skip", skip, {x.dim(0), 2 * x.dim(1), 2 * x.dim(2), skip.dim(3)});
    const UpsampleConcatShape shape{{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(x.dim(3))}, int(skip.dim(3))};
    Tensor y = upsample_concat_now(shape, x, skip);
    if (!will_record({x, skip})) return y;
    const Saved saved_x(x), saved_skip(skip);
    y = record("upsample_concat", std::move(y), {x, skip},
               [shape, of_x = x.shape(), of_skip = skip.shape()](const Tensor& dy, const Gradients& gradients) {
                   Tensor dx, dskip;
                   if (gradients.wanted(0)) dx = dy.empty_like(of_x);
                   if (gradients.wanted(1)) dskip = dy.empty_like(of_skip);
                   cpu::upsample_concat_backward(current_stream(dy.device()), shape, dy, dx, dskip);
                   if (gradients.wanted(0)) gradients.deliver(0, std::move(dx));
                   if (gradients.wanted(1)) gradients.deliver(1, std::move(dskip));
               });
    return recomputable(std::move(y), [=] { return upsample_concat_now(shape, saved_x.get(), saved_skip.get()); });
}

Tensor bilinear_resize(const Tensor& x, std::int64_t height, std::int64_t width) {
    require_rank("bilinear_resize", "x", x, 4);
    const ResizeShape shape{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(height), int(width), int(x.dim(3))};
    Tensor y = x.empty_like({shape.batch, shape.out_height, shape.out_width, shape.channels});
    KARYON_RUN(x.device(), bilinear_resize_forward, shape, x, y);
    return record("bilinear_resize", std::move(y), {x}, [shape](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = dy.empty_like({shape.batch, shape.in_height, shape.in_width, shape.channels});
        KARYON_RUN(dy.device(), bilinear_resize_backward, shape, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
}

Tensor pad_crop(const Tensor& x, Padding pad) {
    require_rank("pad_crop", "x", x, 4);
    const PadShape shape{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(x.dim(3)), pad};
    if (shape.out_height() < 1 || shape.out_width() < 1)
        throw Error("pad_crop", "expected an output of at least 1x1, got {}x{}", shape.out_height(), shape.out_width());
    Tensor y = x.empty_like({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    KARYON_RUN(x.device(), pad_crop, shape, x, y);
    return record("pad_crop", std::move(y), {x}, [shape](const Tensor& dy, const Gradients& gradients) {
        const Padding& p = shape.pad;
        const PadShape reverse{
            shape.batch, shape.out_height(), shape.out_width(), shape.channels, {-p.top, -p.left, -p.bottom, -p.right}};
        Tensor dx = dy.empty_like({shape.batch, shape.height, shape.width, shape.channels});
        KARYON_RUN(dy.device(), pad_crop, reverse, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
}

}  // namespace karyon
