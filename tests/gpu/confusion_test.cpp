#include "kernels/loss/confusion.h"

#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;

namespace {

OpCase confusion_case(DType target, std::size_t count, bool dice = true) {
    OpCase op{.name = fmt::format("confusion {} {}", name_of(target), count),
              .inputs = {uniform(DType::f32, count, 1), integers(target, count, 2, 0, 1)},
              .results = {Result::of(DType::i32, 4, 0, 0), Result::of(DType::f32, 1, 0x1p-24, 0)},
              .run =
                  [=](auto& stream, auto in, auto out) {
                      kernels::gpu::confusion(stream, static_cast<std::int64_t>(count), 0.25f, in[0], in[1], out[0],
                                              out[1]);
                  },
              .reference =
                  [](const auto& in) {
                      Doubles counts(4);
                      for (std::size_t i = 0; i < in[0].size(); ++i) {
                          const bool p = in[0][i] >= 0.25, t = in[1][i] >= 0.5;
                          ++counts[p ? (t ? 0 : 1) : (t ? 2 : 3)];
                      }
                      const double sum = 2 * counts[0] + counts[1] + counts[2];
                      return std::vector<Doubles>{counts, {sum > 0 ? 2 * counts[0] / sum : 1}};
                  }};
    op.results[1].absent = !dice;
    return op;
}

}  // namespace

TEST_CASE("gpu confusion counts: both forms of target, several blocks and tails, with and without Dice") {
    for (const DType target : {DType::u8, DType::f32})
        for (const std::size_t count : {0, 1, 6, 4096, 70001}) check(confusion_case(target, count));
    check(confusion_case(DType::u8, 100, false));
}

KARYON_NETWORK_CASES(confusion) {
    constexpr std::size_t count = 512 * 512;
    return {{"confusion u8 512x512", {kernels::confusion_cost(count).bytes, 0}, [] {
                 return confusion_case(DType::u8, count);
             }}};
}
