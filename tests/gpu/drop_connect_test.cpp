#include "kernels/elementwise/drop_connect.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;
using kernels::DropConnect;

namespace {

/// The reference is the CPU's op: the same bits.
OpCase drop_case(const DropConnect& drop, std::uint64_t offset) {
    const auto half = [](std::uint64_t word) {
        return static_cast<double>(static_cast<std::int32_t>(static_cast<std::uint32_t>(word)));
    };
    Values halves = offset ? Values{DType::i32, {half(offset), half(offset >> 32)}} : none(DType::i32);
    return {
        .name = fmt::format("drop_connect_scales {}", drop.batch),
        .inputs = {halves},
        .results = {Result::of(DType::f32, static_cast<std::size_t>(drop.batch), 0, 0)},
        .run = [=](auto& stream, auto in, auto out) { kernels::gpu::drop_connect_scales(stream, drop, in[0], out[0]); },
        .reference =
            [=](const auto&) {
                DropConnect moved = drop;
                moved.stream += offset;
                std::vector<float> scale(static_cast<std::size_t>(drop.batch));
                kernels::Stream stream;
                kernels::cpu::drop_connect_scales(stream, moved, nullptr, scale.data());
                return std::vector<Doubles>{to_double(scale)};
            }};
}

}  // namespace

TEST_CASE("gpu drop-connect gives the bits of the CPU, from any position and stream") {
    const std::uint64_t seed = 0x123456789abcdef0;
    for (const int batch : {0, 1, 8, 131})
        for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{13}, (std::uint64_t{1} << 34) - 3})
            for (const float probability : {0.0f, 0.2f, 0.5f})
                check(drop_case({seed, 7, position, batch, probability}, 0));
    check(drop_case({seed, 7, 5, 40, 0.3f}, 1000003));
    check(drop_case({seed, 7, 5, 40, 0.3f}, (std::uint64_t{9} << 32) + 17));
}

KARYON_NETWORK_CASES(drop_connect) {
    constexpr int batch = 8;
    return {{"drop_connect_scales 8", {4.0 * batch, 0}, [] { return drop_case({1, 2, 3, batch, 0.2f}, 0); }}};
}
