#include "kernels/elementwise/add.h"
#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase scale_case(DType type, int batch, std::size_t per_image) {
    const std::size_t images = static_cast<std::size_t>(batch), count = images * per_image;
    return {.name = fmt::format("scale_images {} {}x{}", name_of(type), batch, per_image),
            .inputs = {integers(type, count, 1), integers(DType::f32, images, 2)},
            .results = {Result::of(type, count, 0, 0)},
            .run =
                [=](auto& stream, auto in, auto out) {
                    kernels::gpu::scale_images(stream, batch, static_cast<std::int64_t>(per_image), in[0], in[1],
                                               out[0]);
                },
            .reference =
                [=](const auto& in) {
                    Doubles y = in[0];
                    for (std::size_t i = 0; i < y.size(); ++i) y[i] *= in[1][i / per_image];
                    return std::vector<Doubles>{y};
                }};
}

}  // namespace

TEST_CASE("gpu scale_images: short and long images, with and without packs") {
    for (const DType type : {DType::f32, DType::bf16})
        for (const std::size_t per_image : {1, 8, 13, 264, 4096, 5001})
            for (const int batch : {0, 1, 3}) check(scale_case(type, batch, per_image));
}

KARYON_NETWORK_CASES(scale_images) {
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::f32, DType::bf16}) {
        constexpr std::size_t per_image = 32 * 32 * 56;
        const double elements = 8.0 * per_image;
        cases.push_back({fmt::format("scale_images {} 8x32x32x56", name_of(type)),
                         {2 * elements * static_cast<double>(size_of(type)) + 32, elements},
                         [=] { return scale_case(type, 8, per_image); }});
    }
    return cases;
}
