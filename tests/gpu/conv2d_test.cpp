#include "kernels/conv/conv2d.h"

#include "tests/gpu/conv2d_design.h"

using namespace karyon;
using namespace karyon::test;

namespace {

using Shape = Conv2dShape;
using kernels::Padding;

void check_all(const Shape& s, const Numbers& numbers) {
    check(forward_case(s, numbers));
    check(backward_data_case(s, numbers));
    check(backward_weights_case(s, numbers));
}

/// Every path at its smallest: tails of the 128-row and 32-, 64- and 128-column tiles and of K, all widths of pieces,
/// strides, paddings, kernels.
std::vector<Shape> shapes() {
    return {{1, 1, 1, 1, 1, 1, 1, {}},
            {1, 1, 1, 40, 12, 1, 1, {}},
            {2, 1, 1, 3, 5, 3, 1, {1, 1, 1, 1}},
            {2, 8, 9, 3, 48, 3, 2, {0, 0, 1, 1}},
            {1, 15, 14, 6, 24, 3, 2, {1, 1, 1, 1}},
            {1, 12, 10, 16, 1, 3, 1, {1, 1, 1, 1}},
            {2, 7, 11, 24, 144, 1, 1, {}},
            {1, 16, 17, 56, 32, 1, 1, {}},
            {3, 5, 5, 8, 72, 3, 1, {1, 1, 1, 1}},
            {1, 6, 7, 16, 24, 3, 2, {1, 1, 1, 1}},
            {1, 9, 7, 17, 31, 1, 2, {}},
            {1, 11, 13, 22, 16, 3, 1, {1, 1, 1, 1}},
            {1, 6, 5, 19, 9, 5, 2, {1, 1, 2, 2}},
            {1, 5, 5, 3, 2, 3, 1, {2, 0, 1, 3}},
            {1, 3, 12, 16, 8, 5, 1, {4, 3, 2, 6}}};
}

constexpr DType types[] = {DType::f32, DType::bf16};

}  // namespace

TEST_CASE("gpu conv2d: exact on small integers") {
    for (const DType type : types)
        for (const Shape& s : shapes()) check_all(s, {.type = type});
}

TEST_CASE("gpu conv2d: random shapes, exact") {
    Random random(7);
    for (int i = 0; i < 24; ++i) {
        Shape s{random.integer(1, 3),  random.integer(1, 9),         random.integer(1, 9), random.integer(1, 36),
                random.integer(1, 36), 2 * random.integer(0, 2) + 1, random.integer(1, 3), {}};
        if (i % 3 == 0) s.in_channels = (s.in_channels + 7) / 8 * 8, s.out_channels = (s.out_channels + 7) / 8 * 8;
        s.pad = i % 2 ? Padding::same(s.height, s.width, s.kernel, s.stride) : Padding::symmetric(s.kernel);
        check_all(s, {.type = types[i / 2 % 2]});
    }
}

TEST_CASE("gpu conv2d: rounding of bf16, 3xTF32 and TF32") {
    const Numbers kinds[] = {{DType::bf16, false}, {DType::f32, false}, {DType::f32, false, F32Math::tf32}};
    for (const Numbers& numbers : kinds)
        for (const Shape& s : {Shape{1, 9, 8, 40, 24, 3, 1, {1, 1, 1, 1}}, Shape{2, 7, 9, 100, 72, 1, 1, {}}})
            check_all(s, numbers);
}

TEST_CASE("gpu conv2d: wide tiles, several tiles of a block, slices of the weight gradient") {
    for (const DType type : types) {
        const Numbers numbers{.type = type};
        check(forward_case({1, 37, 38, 24, 1272, 1, 1, {}}, numbers, false));
        check(backward_data_case({1, 37, 38, 1272, 24, 1, 1, {}}, numbers));
        check(backward_data_case({1, 29, 46, 8, 1240, 1, 1, {}}, numbers));
        check(backward_weights_case({3, 19, 20, 120, 104, 1, 1, {}}, numbers, false));
        check(backward_weights_case({1, 6, 7, 24, 120, 3, 1, {1, 1, 1, 1}}, numbers, false));
    }
    check(forward_case({1, 513, 256, 8, 16, 1, 1, {}}, {}, true));
}

TEST_CASE("gpu conv2d: pointers that are not aligned") {
    const Shape s{1, 5, 6, 16, 24, 3, 1, {1, 1, 1, 1}};
    for (const DType type : types) {
        const Numbers numbers{.type = type};
        OpCase op = forward_case(s, numbers);
        // Every buffer has one element more in front, which the op does not see.
        for (Values& values : op.inputs) values.at.insert(values.at.begin(), 0.0);
        op.results[0].count += 1;
        op.results[0].initial.assign(op.results[0].count, 0.0);
        op.run = [=](auto& stream, auto in, auto out) {
            const auto shifted = [](auto pointer) {
                return pointer.dtype() == DType::f32 ? decltype(pointer)(pointer.template as<float>() + 1)
                                                     : decltype(pointer)(pointer.template as<bfloat16>() + 1);
            };
            kernels::gpu::conv2d_forward(stream, s, shifted(in[0]), shifted(in[1]), shifted(in[2]), shifted(out[0]));
        };
        op.reference = [=](auto in) {
            for (Doubles& values : in) values.erase(values.begin());
            Doubles y = numbers.rounded(reference::forward(s, in[0], in[1], in[2]));
            y.insert(y.begin(), 0.0);
            return std::vector<Doubles>{y};
        };
        check(op);
    }
}

TEST_CASE("gpu conv2d names what it cannot take") {
    float value = 0;
    bfloat16 half;
    kernels::CudaStream stream;
    CHECK_THROWS_WITH_AS(
        kernels::gpu::conv2d_forward(stream, {1, 4, 4, 0, 1, 3, 1, {}}, &value, &value, nullptr, &value),
        "[conv2d_forward] expected a positive in_channels, got 0", Error);
    CHECK_THROWS_WITH_AS(kernels::gpu::conv2d_forward(stream, {}, &value, &half, nullptr, &value),
                         "[kernel] expected f32 elements, got bf16", Error);
}

KARYON_NETWORK_CASES(conv2d) {
    // EfficientNet-B4 U-Net at 256 x 256, fewer images where they are large: stem, expand and project, output.
    const Shape stem{1, 256, 256, 6, 48, 3, 2, {0, 0, 1, 1}}, output{1, 256, 256, 16, 1, 3, 1, {1, 1, 1, 1}};
    const Shape expand{1, 128, 128, 24, 144, 1, 1, {}}, project{2, 64, 64, 144, 32, 1, 1, {}};
    const Shape middle{8, 16, 16, 112, 672, 1, 1, {}}, last{8, 8, 8, 1632, 448, 1, 1, {}};
    std::vector<NetworkCase> cases;
    const auto add = [&](const char* op, const Shape& s, const Numbers& numbers, kernels::Cost cost,
                         OpCase (*make)(const Shape&, const Numbers&, bool), const Design& design) {
        cases.push_back({fmt::format("conv2d {} {}{} {}", op, name_of(numbers.type),
                                     numbers.math == F32Math::tf32 ? " tf32" : "", text(s)),
                         cost, [=] { return make(s, numbers, false); }, design});
    };
    const auto without_bias = [](const Shape& s, const Numbers& numbers, bool) {
        return backward_data_case(s, numbers);
    };
    const Numbers bf16{DType::bf16, false}, f32{DType::f32, false};
    for (const Shape& s : {stem, output, expand, middle, last}) {
        const bool in_words = s == stem;
        add("forward", s, bf16, cost(s, bf16.type), forward_case,
            GemmDesign{.shape = s, .type = bf16.type, .in_words = in_words}.forward());
    }
    for (const Shape& s : {output, expand, project, middle, last})
        add("backward data", s, bf16, cost(s, bf16.type), without_bias,
            GemmDesign{.shape = s, .type = bf16.type, .in_words = s == output}.backward_data());
    for (const Shape& s : {stem, expand, project, middle, last})
        add("backward weights", s, bf16, weights_cost(s, bf16.type), backward_weights_case,
            GemmDesign{.shape = s, .type = bf16.type, .in_words = s == stem}.backward_weights());
    // The one convolution with a bias, whose gradient reads dy again.
    Design with_bias = GemmDesign{.shape = output, .type = bf16.type, .in_words = true}.backward_weights();
    const double dy_bytes = double(size_of(bf16.type)) * double(reference::y_size(output));
    with_bias.sector_bytes += dy_bytes, with_bias.partial_bytes += dy_bytes;
    cases.push_back({fmt::format("conv2d backward weights and bias bf16 {}", text(output)),
                     weights_cost(output, bf16.type, true), [=] { return backward_weights_case(output, bf16); },
                     with_bias});
    for (const Shape& s : {expand, last}) {
        const GemmDesign design{.shape = s, .type = f32.type};
        add("forward", s, f32, cost(s, f32.type), forward_case, design.forward());
        add("backward data", s, f32, cost(s, f32.type), without_bias, design.backward_data());
        add("backward weights", s, f32, weights_cost(s, f32.type), backward_weights_case, design.backward_weights());
    }
    for (const Shape& s : {stem, output}) {
        const GemmDesign design{.shape = s, .type = f32.type, .in_words = s == stem};
        add("forward", s, f32, cost(s, f32.type), forward_case, design.forward());
    }
    return cases;
}
