#include "tensor/ops/shape.h"

#include "kernels/elementwise/add.h"
#include "kernels/elementwise/concat.h"
#include "kernels/resample/bilinear_resize.h"
#include "kernels/resample/pad_crop.h"
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
    Tensor y = Tensor::empty(shape);
    cpu::concat_forward(current_stream(), y.size() / shape.back(), inputs, y);
    return y;
}

Tensor upsample_now(const UpsampleShape& shape, const Tensor& x) {
    Tensor y = Tensor::empty({shape.batch, 2 * shape.height, 2 * shape.width, shape.channels});
    cpu::upsample_nearest_forward(current_stream(), shape, x, y);
    return y;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
    require_shape("add", "b", b, a.shape());
    Tensor y = Tensor::empty(a.shape());
    cpu::add(current_stream(), y.size(), a, b, y);
    return record("add", std::move(y), {a, b}, [](const Tensor& dy, const Gradients& gradients) {
        for (const std::size_t input : {0, 1})
            if (gradients.wanted(input)) gradients.deliver(input, dy);
    });
}

Tensor scale_images(const Tensor& x, const Tensor& scale) {
    const int batch = int(x.dim(0));
    require_shape("scale_images", "scale", scale, {batch});
    Tensor y = Tensor::empty(x.shape());
    cpu::scale_images(current_stream(), batch, x.size() / batch, x, scale, y);
    return record("scale_images", std::move(y), {x}, [batch, scale](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = Tensor::empty(dy.shape());
        cpu::scale_images(current_stream(), batch, dy.size() / batch, dy, scale, dx);
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
            if (gradients.wanted(i)) gradient[i] = Tensor::empty(shapes[i]);
            outputs.push_back({gradient[i], int(shapes[i].back())});
        }
        cpu::concat_backward(current_stream(), dy.size() / dy.shape().back(), dy, outputs);
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
        Tensor dx = Tensor::empty({shape.batch, shape.height, shape.width, shape.channels});
        cpu::upsample_nearest_backward(current_stream(), shape, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
    return recomputable(std::move(y), [shape, saved_x = Saved(x)] { return upsample_now(shape, saved_x.get()); });
}

Tensor bilinear_resize(const Tensor& x, std::int64_t height, std::int64_t width) {
    require_rank("bilinear_resize", "x", x, 4);
    const ResizeShape shape{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(height), int(width), int(x.dim(3))};
    Tensor y = Tensor::empty({shape.batch, shape.out_height, shape.out_width, shape.channels});
    cpu::bilinear_resize_forward(current_stream(), shape, x, y);
    return record("bilinear_resize", std::move(y), {x}, [shape](const Tensor& dy, const Gradients& gradients) {
        Tensor dx = Tensor::empty({shape.batch, shape.in_height, shape.in_width, shape.channels});
        cpu::bilinear_resize_backward(current_stream(), shape, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
}

Tensor pad_crop(const Tensor& x, Padding pad) {
    require_rank("pad_crop", "x", x, 4);
    const PadShape shape{int(x.dim(0)), int(x.dim(1)), int(x.dim(2)), int(x.dim(3)), pad};
    if (shape.out_height() < 1 || shape.out_width() < 1)
        throw Error("pad_crop", "expected an output of at least 1x1, got {}x{}", shape.out_height(), shape.out_width());
    Tensor y = Tensor::empty({shape.batch, shape.out_height(), shape.out_width(), shape.channels});
    cpu::pad_crop(current_stream(), shape, x, y);
    return record("pad_crop", std::move(y), {x}, [shape](const Tensor& dy, const Gradients& gradients) {
        const Padding& p = shape.pad;
        const PadShape reverse{
            shape.batch, shape.out_height(), shape.out_width(), shape.channels, {-p.top, -p.left, -p.bottom, -p.right}};
        Tensor dx = Tensor::empty({shape.batch, shape.height, shape.width, shape.channels});
        cpu::pad_crop(current_stream(), reverse, dy, dx);
        gradients.deliver(0, std::move(dx));
    });
}

}  // namespace karyon
