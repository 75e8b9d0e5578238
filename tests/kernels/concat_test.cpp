#include "kernels/elementwise/concat.h"

#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

struct Case {
    std::size_t rows;
    std::vector<int> channels;
};
const Case cases[] = {{1, {1}}, {1, {3, 3}}, {5, {1, 2, 4}}, {1021, {24, 16}}, {333, {112, 7, 1}}};

}  // namespace

TEST_CASE("concat lays channels side by side and its backward takes them apart") {
    Stream stream;
    for (const Case& shape : cases) {
        CAPTURE(shape.rows);
        std::vector<std::vector<float>> parts;
        std::vector<ConcatInput> inputs;
        std::size_t total = 0;
        for (const int channels : shape.channels) {
            parts.push_back(random_values(shape.rows * static_cast<std::size_t>(channels), 7 + parts.size()));
            total += static_cast<std::size_t>(channels);
        }
        for (std::size_t i = 0; i < parts.size(); ++i) inputs.push_back({parts[i].data(), shape.channels[i]});

        std::vector<float> expected;
        for (std::size_t row = 0; row < shape.rows; ++row)
            for (std::size_t i = 0; i < parts.size(); ++i)
                for (int c = 0; c < shape.channels[i]; ++c)
                    expected.push_back(
                        parts[i][row * static_cast<std::size_t>(shape.channels[i]) + static_cast<std::size_t>(c)]);
        Guarded y(shape.rows * total);
        const auto rows = static_cast<std::int64_t>(shape.rows);
        cpu::concat_forward(stream, rows, inputs, y.data());
        check_identical(y, expected);
        CHECK(y.intact());

        // The backward pass of dy = y gives the inputs back; the first part is left out where there are others.
        std::vector<Guarded> gradients;
        for (const auto& part : parts) gradients.emplace_back(part.size());
        std::vector<ConcatOutput> outputs;
        for (std::size_t i = 0; i < parts.size(); ++i)
            outputs.push_back({i == 0 && parts.size() > 1 ? Out() : Out(gradients[i].data()), shape.channels[i]});
        cpu::concat_backward(stream, rows, y.data(), outputs);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            CHECK(gradients[i].intact());
            if (outputs[i].data)
                check_identical(gradients[i], parts[i]);
            else
                check_identical(gradients[i], Guarded(parts[i].size()));
        }
    }
}

TEST_CASE("concat names an input of another type before it writes") {
    Stream stream;
    const float a[2] = {1, 2};
    const bfloat16 b[2] = {};
    const ConcatInput inputs[] = {{a, 1}, {b, 1}};
    Guarded y(4);
    CHECK_THROWS_WITH_AS(cpu::concat_forward(stream, 2, inputs, y.data()), "[kernel] expected f32 elements, got bf16",
                         Error);
    check_identical(y, Guarded(4));
}
