#include "tests/gpu/op_case.h"
#include "tests/kernels/pad_reference.h"

using namespace karyon;
using namespace karyon::test;
using kernels::PadShape;

namespace {

std::string text_of(const PadShape& s) {
    return fmt::format("{}x{}x{}x{} {},{},{},{}", s.batch, s.height, s.width, s.channels, s.pad.top, s.pad.left,
                       s.pad.bottom, s.pad.right);
}

OpCase pad_case(DType type, const PadShape& shape) {
    return {.name = fmt::format("pad_crop {} {}", name_of(type), text_of(shape)),
            .inputs = {uniform(type, elements(shape, shape.height, shape.width), 1)},
            .results = {Result::of(type, elements(shape, shape.out_height(), shape.out_width()), 0, 0)},
            .run = [=](auto& stream, auto in, auto out) { kernels::gpu::pad_crop(stream, shape, in[0], out[0]); },
            .reference = [=](const auto& in) { return std::vector<Doubles>{pad_reference(shape, in[0])}; }};
}

}  // namespace

TEST_CASE("gpu padding and cropping: all sides, empty results, units of 16, 4 and 2 bytes") {
    const PadShape shapes[] = {
        {1, 1, 1, 1, {}},
        {1, 1, 1, 1, {2, 3, 4, 5}},
        {2, 5, 7, 3, {1, 0, 0, 2}},
        {2, 9, 8, 8, {-2, -1, -3, -2}},
        {1, 6, 6, 5, {3, -2, -4, 1}},
        {1, 33, 31, 6, {16, 16, 16, 16}},
        {1, 4, 4, 2, {-6, 0, 5, 0}},
        {1, 4, 4, 2, {0, 7, 0, -6}},
        {1, 4, 5, 1, {-4, 0, 0, 0}},
        {1, 3, 3, 2, {0, -5, 0, 9}},
    };
    for (const DType type : {DType::f32, DType::bf16})
        for (const PadShape& shape : shapes) check(pad_case(type, shape));
}

TEST_CASE("gpu cropping more than there is names the sizes") {
    kernels::CudaStream stream;
    const float x[4] = {};
    float y[4] = {};
    CHECK_THROWS_WITH_AS(kernels::gpu::pad_crop(stream, {1, 2, 2, 1, {-2, 0, -1, 0}}, x, y),
                         "[pad_crop] expected to take off at most 2 x 2 pixels, got a result of -1 x 2", Error);
}

KARYON_NETWORK_CASES(pad_crop) {
    std::vector<NetworkCase> cases;
    for (const PadShape& shape :
         {PadShape{8, 384, 384, 1, {-64, -64, -64, -64}}, PadShape{8, 256, 256, 1, {64, 64, 64, 64}}})
        cases.push_back({fmt::format("pad_crop f32 {}", text_of(shape)), kernels::cost(shape, DType::f32),
                         [=] { return pad_case(DType::f32, shape); }});
    return cases;
}
