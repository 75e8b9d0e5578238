#include "kernels/image/cut_patches.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;
using kernels::PatchBorder;
using kernels::PatchShape;

namespace {

constexpr kernels::ChannelScale scale{{0.5f, 2, 0.25f}, {-1, 3, 0.5f}};

struct Corner {
    int x, y;
};

int reflect(int i, int size) {
    if (size == 1) return 0;
    while (i < 0 || i >= size) i = i < 0 ? -i : 2 * (size - 1) - i;
    return i;
}

OpCase patch_case(DType type, PatchShape shape, const std::vector<Corner>& corners) {
    shape.patches = static_cast<int>(corners.size());
    Doubles places;
    for (const Corner& corner : corners) places.insert(places.end(), {double(corner.x), double(corner.y)});
    const auto count = static_cast<std::size_t>(shape.patches * shape.size * shape.size * 3);
    return {.name = fmt::format("cut_patches {} {}x{} {}x{} {}", name_of(type), shape.height, shape.width,
                                shape.patches, shape.size, shape.border == PatchBorder::zero ? "zero" : "reflect"),
            .inputs = {integers(DType::u8, static_cast<std::size_t>(shape.height * shape.width * 3), 1, 0, 255),
                       {DType::i32, places}},
            .results = {Result::of(type, count, type == DType::f32 ? 0 : 0x1p-8, 0)},
            .run = [=](auto& stream, auto in,
                       auto out) { kernels::gpu::cut_patches(stream, shape, scale, in[0], in[1], out[0]); },
            .reference =
                [=](const auto& in) {
                    Doubles out;
                    const bool mirrored = shape.border == PatchBorder::reflect;
                    for (const Corner& corner : corners)
                        for (int v = 0; v < shape.size; ++v)
                            for (int u = 0; u < shape.size; ++u)
                                for (int c = 0; c < 3; ++c) {
                                    const int x = mirrored ? reflect(corner.x + u, shape.width) : corner.x + u;
                                    const int y = mirrored ? reflect(corner.y + v, shape.height) : corner.y + v;
                                    const bool inside = x >= 0 && x < shape.width && y >= 0 && y < shape.height;
                                    const auto at = static_cast<std::size_t>((y * shape.width + x) * 3 + c);
                                    out.push_back((inside ? in[0][at] : 0) * static_cast<double>(scale.gain[c]) +
                                                  static_cast<double>(scale.shift[c]));
                                }
                    return std::vector<Doubles>{out};
                }};
}

}  // namespace

TEST_CASE("gpu patches: inside, across every border, far outside") {
    const std::vector<Corner> corners = {{0, 0}, {3, 2}, {-5, 4}, {11, -6}, {20, 13}, {-90, 5}, {4, 300}};
    for (const DType type : {DType::f32, DType::bf16})
        for (const PatchBorder border : {PatchBorder::zero, PatchBorder::reflect})
            for (const int size : {1, 5, 8, 16}) {
                check(patch_case(type, {.height = 19, .width = 27, .size = size, .border = border}, corners));
                check(patch_case(type, {.height = 1, .width = 1, .size = size, .border = border}, {{0, 0}, {-3, 2}}));
            }
}

TEST_CASE("gpu patches: rows of several blocks, to the last byte of the image") {
    for (const DType type : {DType::f32, DType::bf16})
        check(patch_case(type, {.height = 3, .width = 301, .size = 300}, {{1, 0}, {0, 0}, {1, 2}}));
}

TEST_CASE("gpu patches of an image without pixels") {
    kernels::CudaStream stream;
    std::uint8_t image[3] = {};
    std::int32_t corner[2] = {};
    float out[3] = {};
    CHECK_THROWS_WITH_AS(kernels::gpu::cut_patches(stream, {.height = 0, .width = 3}, {}, image, corner, out),
                         "[cut_patches] expected an image with pixels, got 3x0", Error);
}

KARYON_NETWORK_CASES(cut_patches) {
    std::vector<NetworkCase> cases;
    const PatchShape shape{.height = 512, .width = 512, .patches = 4, .size = 256};
    for (const DType type : {DType::f32, DType::bf16})
        cases.push_back(
            {fmt::format("cut_patches {} 4x256x256", name_of(type)), {kernels::cost(shape, type).bytes, 0}, [=] {
                 return patch_case(type, shape, {{0, 0}, {256, 0}, {0, 256}, {256, 256}});
             }});
    return cases;
}
