#include "tests/gpu/conv2d_design.h"
#include "tests/kernels/upsample_reference.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// A decoder's convolution: of concat(upsample2x(low), skip).
struct Decoder {
    Conv2dShape conv;
    int low_channels;

    int skip_channels() const { return conv.in_channels - low_channels; }
    kernels::UpsampleShape upsample() const { return {conv.batch, conv.height / 2, conv.width / 2, low_channels}; }
    std::size_t pixels() const { return std::size_t(conv.batch) * conv.height * conv.width; }
    std::size_t low_size() const { return size_of_input(upsample()); }
    std::size_t skip_size() const { return pixels() * std::size_t(skip_channels()); }

    Doubles joined(const Doubles& low, const Doubles& skip) const {
        const std::vector<std::size_t> sources = upsample_sources(upsample());
        const std::size_t a = std::size_t(low_channels), b = std::size_t(skip_channels());
        Doubles x;
        for (std::size_t pixel = 0; pixel < pixels(); ++pixel) {
            for (std::size_t c = 0; c < a; ++c) x.push_back(low[sources[pixel * a + c]]);
            for (std::size_t c = 0; c < b; ++c) x.push_back(skip[pixel * b + c]);
        }
        return x;
    }
    std::string name() const { return fmt::format("{} of which {} upsampled", text(conv), low_channels); }
};

OpCase decoder_forward_case(const Decoder& d, const Numbers& numbers) {
    const Conv2dShape& s = d.conv;
    return {
        .name = fmt::format("conv2d_upsample_concat_forward {} {}", numbers.name(), d.name()),
        .inputs = {numbers.values(d.low_size(), 1), numbers.values(d.skip_size(), 2),
                   numbers.values(reference::w_size(s), 3)},
        .results = {numbers.result(reference::y_size(s), double(s.kernel) * s.kernel * s.in_channels)},
        .run =
            [=](auto& stream, auto in, auto out) {
                kernels::gpu::conv2d_upsample_concat_forward(
                    stream, s, {in[0], d.low_channels, in[1], d.skip_channels()}, in[2], {}, out[0]);
            },
        .reference =
            [=](const auto& in) {
                return std::vector<Doubles>{numbers.rounded(reference::forward(s, d.joined(in[0], in[1]), in[2], {}))};
            }};
}

OpCase decoder_backward_data_case(const Decoder& d, const Numbers& numbers, bool wants_skip = true) {
    const Conv2dShape& s = d.conv;
    const double length = double(s.kernel) * s.kernel * s.out_channels;
    OpCase op{.name = fmt::format("conv2d_upsample_concat_backward_data {} {}", numbers.name(), d.name()),
              .inputs = {numbers.values(reference::y_size(s), 1), numbers.values(reference::w_size(s), 2)},
              .results = {numbers.result(d.pixels() * std::size_t(d.low_channels), length),
                          numbers.result(d.skip_size(), length)},
              .run =
                  [=](auto& stream, auto in, auto out) {
                      kernels::gpu::conv2d_upsample_concat_backward_data(
                          stream, s, in[0], in[1], {out[0], d.low_channels, out[1], d.skip_channels()});
                  },
              .reference =
                  [=](const auto& in) {
                      const Doubles dx = numbers.rounded(reference::backward_data(s, in[0], in[1]));
                      std::vector<Doubles> parts(2);
                      for (std::size_t i = 0; i < dx.size(); ++i)
                          parts[int(i % std::size_t(s.in_channels)) < d.low_channels ? 0 : 1].push_back(dx[i]);
                      return parts;
                  }};
    op.results[1].absent = !wants_skip;
    return op;
}

OpCase decoder_backward_weights_case(const Decoder& d, const Numbers& numbers) {
    const Conv2dShape& s = d.conv;
    const double pixels = double(s.batch) * s.out_height() * s.out_width();
    return {
        .name = fmt::format("conv2d_upsample_concat_backward_weights {} {}", numbers.name(), d.name()),
        .inputs = {numbers.values(d.low_size(), 1), numbers.values(d.skip_size(), 2),
                   numbers.values(reference::y_size(s), 3)},
        .results = {numbers.sum(reference::w_size(s), 4, pixels), numbers.sum(std::size_t(s.out_channels), 5, pixels)},
        .run =
            [=](auto& stream, auto in, auto out) {
                kernels::gpu::conv2d_upsample_concat_backward_weights(
                    stream, s, {in[0], d.low_channels, in[1], d.skip_channels()}, in[2], out[0], out[1]);
            },
        .reference =
            [=](const auto& in) {
                return std::vector<Doubles>{
                    reference::backward_weights(s, d.joined(in[0], in[1]), in[2], Doubles(reference::w_size(s))),
                    reference::backward_bias(in[2], Doubles(std::size_t(s.out_channels)))};
            }};
}

}  // namespace

TEST_CASE("gpu conv2d of an upsampled and a joined image") {
    const Decoder decoders[] = {
        {{2, 6, 8, 24, 16, 3, 1, {1, 1, 1, 1}}, 16}, {{1, 10, 6, 40, 72, 3, 1, {1, 1, 1, 1}}, 8},
        {{1, 8, 4, 22, 16, 3, 1, {1, 1, 1, 1}}, 16}, {{1, 2, 2, 5, 3, 3, 1, {1, 1, 1, 1}}, 2},
        {{1, 4, 6, 8, 8, 3, 2, {0, 0, 1, 1}}, 3},    {{1, 6, 4, 16, 8, 3, 1, {1, 1, 1, 1}}, 16},
        {{2, 2, 4, 5, 6, 3, 1, {1, 1, 1, 1}}, 5}};
    for (const DType type : {DType::f32, DType::bf16})
        for (const Decoder& d : decoders) {
            check(decoder_forward_case(d, {type}));
            check(decoder_backward_data_case(d, {type}));
            check(decoder_backward_weights_case(d, {type}));
        }
    check(decoder_forward_case(decoders[0], {DType::bf16, false}));
    check(decoder_backward_data_case(decoders[0], {DType::f32}, false));
}

TEST_CASE("gpu conv2d of an upsampled and a joined image names what it cannot take") {
    float value = 0;
    kernels::CudaStream stream;
    const auto forward = [&](const Conv2dShape& s, int low, int skip) {
        kernels::gpu::conv2d_upsample_concat_forward(stream, s, {&value, low, &value, skip}, &value, {}, &value);
    };
    CHECK_THROWS_WITH_AS(forward({1, 4, 4, 8, 8, 3, 1, {1, 1, 1, 1}}, 4, 3),
                         "[conv2d_upsample_concat] expected 8 channels, got 4 + 3", Error);
    CHECK_THROWS_WITH_AS(forward({1, 5, 4, 8, 8, 3, 1, {1, 1, 1, 1}}, 4, 4),
                         "[conv2d_upsample_concat] expected an even height and width, got 5 x 4", Error);
}

KARYON_NETWORK_CASES(upsample_concat) {
    std::vector<NetworkCase> cases;
    const auto add = [&](const Decoder& d, DType type) {
        const Numbers numbers{type, false};
        const Conv2dShape& s = d.conv;
        const double saved = double(size_of(type)) * 3 * double(d.low_size());  // low is a quarter of what is convolved
        kernels::Cost forward = kernels::cost(s, type), data = forward, weights = weights_cost(s, type);
        forward.bytes -= saved, weights.bytes -= saved;
        const GemmDesign design{.shape = s, .type = type, .in_words = d.skip_channels() % 8 != 0};
        const std::string suffix = fmt::format("{} {}", name_of(type), d.name());
        cases.push_back({"conv2d upsample concat forward " + suffix, forward,
                         [=] { return decoder_forward_case(d, numbers); }, design.forward()});
        cases.push_back({"conv2d upsample concat backward data " + suffix, data,
                         [=] { return decoder_backward_data_case(d, numbers); }, design.backward_data()});
        cases.push_back({"conv2d upsample concat backward weights " + suffix, weights,
                         [=] {
                             OpCase op = decoder_backward_weights_case(d, numbers);
                             op.results[1].absent = true;  // a batch norm follows: no bias
                             return op;
                         },
                         design.backward_weights()});
    };
    add({{2, 16, 16, 608, 256, 3, 1, {1, 1, 1, 1}}, 448}, DType::bf16);
    add({{1, 128, 128, 112, 32, 3, 1, {1, 1, 1, 1}}, 64}, DType::bf16);
    add({{1, 64, 64, 22, 16, 3, 1, {1, 1, 1, 1}}, 16}, DType::bf16);
    return cases;
}
