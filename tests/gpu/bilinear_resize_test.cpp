#include "tests/gpu/op_case.h"
#include "tests/kernels/resize_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::ResizeShape;

namespace {

std::string text_of(const ResizeShape& s) {
    return fmt::format("{}x{}x{}x{} to {}x{}", s.batch, s.in_height, s.in_width, s.channels, s.out_height, s.out_width);
}

double rel_of(DType type) { return type == DType::f32 ? 1e-6 : 0x1p-8; }

OpCase forward_case(DType type, const ResizeShape& shape) {
    return {.name = fmt::format("bilinear_resize_forward {} {}", name_of(type), text_of(shape)),
            .inputs = {uniform(type, input_size(shape), 1)},
            .results = {Result::of(type, output_size(shape), rel_of(type), 1e-6)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::bilinear_resize_forward(stream, shape, in[0], out[0]); },
            .reference = [=](const auto& in) { return std::vector<Doubles>{resize_reference(shape, in[0])}; }};
}

OpCase backward_case(DType type, const ResizeShape& shape) {
    return {.name = fmt::format("bilinear_resize_backward {} {}", name_of(type), text_of(shape)),
            .inputs = {uniform(type, output_size(shape), 1)},
            .results = {Result::of(type, input_size(shape), rel_of(type), 2e-5)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::bilinear_resize_backward(stream, shape, in[0], out[0]); },
            .reference = [=](const auto& in) { return std::vector<Doubles>{resize_backward_reference(shape, in[0])}; }};
}

}  // namespace

TEST_CASE("gpu bilinear resizing: up, down, to and from one pixel, with and without packs") {
    const ResizeShape shapes[] = {
        {1, 1, 1, 1, 1, 1},    {1, 1, 1, 3, 4, 2},  {2, 7, 5, 1, 1, 3},   {1, 5, 9, 5, 9, 3},   {2, 9, 7, 6, 5, 8},
        {1, 6, 5, 17, 13, 24}, {1, 12, 9, 8, 6, 3}, {1, 3, 40, 64, 3, 1}, {2, 2, 3, 16, 24, 1}, {1, 4, 3, 32, 25, 2}};
    for (const DType type : {DType::f32, DType::bf16})
        for (const ResizeShape& shape : shapes) {
            check(forward_case(type, shape));
            check(backward_case(type, shape));
        }
}

TEST_CASE("gpu bilinear resizing: halving and the same size are exact on integers") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const ResizeShape& shape : {ResizeShape{2, 10, 6, 5, 3, 3}, ResizeShape{1, 5, 7, 5, 7, 8}})
            for (OpCase op : {forward_case(type, shape), backward_case(type, shape)}) {
                op.inputs[0] = integers(type, op.inputs[0].at.size(), 3);
                op.results[0].rel = op.results[0].abs = 0;
                check(op);
            }
}

TEST_CASE("gpu bilinear resizing names a side that it does not take") {
    kernels::CudaStream stream;
    const float x[1] = {};
    float y[1] = {};
    CHECK_THROWS_WITH_AS(kernels::gpu::bilinear_resize_forward(stream, {1, 1, 1, 1, 40000, 1}, x, y),
                         "[bilinear_resize] expected sides of 1 to 32767 pixels, got 40000", Error);
}

KARYON_NETWORK_CASES(bilinear_resize) {
    std::vector<NetworkCase> cases;
    const auto add = [&](const char* op, DType type, const ResizeShape& shape, auto make) {
        // The flops depend on how the weights are found.
        cases.push_back({fmt::format("bilinear_resize_{} {} {}", op, name_of(type), text_of(shape)),
                         {kernels::cost(shape, type).bytes, 0},
                         [=] { return make(type, shape); }});
    };
    const ResizeShape global{8, 384, 384, 256, 256, 3};
    for (const DType type : {DType::f32, DType::bf16}) add("forward", type, global, forward_case);
    for (const int side : {16, 128}) {
        const ResizeShape shape{8, side, side, 256, 256, 1};
        add("forward", DType::f32, shape, forward_case);
        add("backward", DType::f32, shape, backward_case);
    }
    return cases;
}
