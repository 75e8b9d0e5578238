#include "kernels/image/stain_transfer.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;
using kernels::ChannelScale;
using kernels::StainTransfer;

namespace {

constexpr StainTransfer some_stains{{{0.9f, 0.2f, -0.1f}, {0.3f, 0.7f, 0.2f}, {-0.2f, 0.1f, 1.1f}}};
constexpr ChannelScale some_scale{{0.5f, 2, 0.25f}, {-1, 3, 0.5f}};

/// Levels before rounding.
Doubles mixed(const StainTransfer& stains, const Doubles& levels) {
    Doubles result(levels.size());
    for (std::size_t i = 0; i < levels.size(); ++i) {
        double density = 0;
        for (std::size_t in = 0; in < 3; ++in)
            density -= static_cast<double>(stains.gain[in][i % 3]) * std::log((levels[i / 3 * 3 + in] + 1) / 256);
        result[i] = std::max(0.0, 256 * std::exp(-std::max(density, 0.0)) - 1);
    }
    return result;
}

OpCase stain_case(DType type, std::size_t pixels, const StainTransfer& stains, const ChannelScale& scale) {
    // Half a level of rounding; for f32 it is scaled by up to 2.
    const double rounding = type == DType::u8 ? 0.501 : 1.002;
    return {
        .name = fmt::format("stain_transfer {} {}", name_of(type), pixels),
        .inputs = {integers(DType::u8, 3 * pixels, 1, 0, 255)},
        .results = {Result::of(type, 3 * pixels, 0, rounding)},
        .run =
            [=](auto& stream, auto in, auto out) {
                kernels::gpu::stain_transfer(stream, static_cast<std::int64_t>(pixels), stains, scale, in[0], out[0]);
            },
        .reference =
            [=](const auto& in) {
                Doubles y = mixed(stains, in[0]);
                if (type == DType::f32)
                    for (std::size_t i = 0; i < y.size(); ++i)
                        y[i] = y[i] * static_cast<double>(scale.gain[i % 3]) + static_cast<double>(scale.shift[i % 3]);
                return std::vector<Doubles>{y};
            }};
}

}  // namespace

TEST_CASE("gpu stain transfer to bytes and to scaled floats, whole blocks and tails") {
    for (const DType type : {DType::u8, DType::f32})
        for (const std::size_t pixels : {0, 1, 5, 1024, 2051}) check(stain_case(type, pixels, some_stains, some_scale));
}

TEST_CASE("gpu stain transfer between equal stains changes no level") {
    OpCase op = stain_case(DType::u8, 256, {}, {});
    for (std::size_t i = 0; i < 768; ++i) op.inputs[0].at[i] = static_cast<double>(i / 3);
    op.results[0].abs = 0;
    op.reference = [](const auto& in) { return std::vector<Doubles>{in[0]}; };
    check(op);
}

TEST_CASE("gpu stain transfer names a result that it does not take") {
    kernels::CudaStream stream;
    std::uint8_t levels[3] = {};
    std::int32_t out[3] = {};
    CHECK_THROWS_WITH_AS(kernels::gpu::stain_transfer(stream, 1, {}, {}, levels, out),
                         "[stain_transfer] expected a result of u8 or f32 elements, got i32", Error);
}

KARYON_NETWORK_CASES(stain_transfer) {
    constexpr std::size_t pixels = 512 * 512;
    std::vector<NetworkCase> cases;
    for (const DType type : {DType::u8, DType::f32})
        cases.push_back({fmt::format("stain_transfer {} 512x512", name_of(type)),
                         kernels::stain_transfer_cost(pixels, type),
                         [=] { return stain_case(type, pixels, some_stains, some_scale); }});
    return cases;
}
