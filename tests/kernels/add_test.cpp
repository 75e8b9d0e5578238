#include "kernels/elementwise/add.h"

#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

TEST_CASE("add is exact on integers, apart and in place") {
    Stream stream;
    for (const std::size_t size : {1u, 31u, 16384u, 40001u}) {
        const std::vector<float> a = integer_values(size, 1), b = integer_values(size, 2);
        std::vector<float> expected(size);
        for (std::size_t i = 0; i < size; ++i) expected[i] = a[i] + b[i];
        const auto count = static_cast<std::int64_t>(size);
        Guarded y(size), over_a{a}, twice{a};
        cpu::add(stream, count, a.data(), b.data(), y.data());
        check_identical(y, expected);
        CHECK(y.intact());
        cpu::add(stream, count, over_a.data(), b.data(), over_a.data());
        check_identical(over_a, expected);
        CHECK(over_a.intact());
        cpu::add(stream, count, twice.data(), twice.data(), twice.data());
        for (std::size_t i = 0; i < size; ++i) expected[i] = 2 * a[i];
        check_identical(twice, expected);
    }
}

TEST_CASE("scale_images multiplies every image by its own scale") {
    Stream stream;
    for (const std::size_t per_image : {1u, 7u, 16385u}) {
        const std::vector<float> x = integer_values(3 * per_image, 3), scale = {2, 0, -0.5f};
        std::vector<float> expected(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) expected[i] = scale[i / per_image] * x[i];
        const auto run = [&] {
            Guarded y(x.size());
            cpu::scale_images(stream, 3, static_cast<std::int64_t>(per_image), x.data(), scale.data(), y.data());
            CHECK(y.intact());
            return std::vector<float>(y.values().begin(), y.values().end());
        };
        check_identical(run(), expected);
        check_deterministic(run);
    }
}

TEST_CASE("add and scale_images refuse bf16 by name") {
    Stream stream;
    const bfloat16 x[1] = {};
    float y[1] = {};
    CHECK_THROWS_WITH_AS(cpu::add(stream, 1, y, x, y), "[kernel] expected f32 elements, got bf16", Error);
    CHECK_THROWS_WITH_AS(cpu::scale_images(stream, 1, 1, y, x, y), "[kernel] expected f32 elements, got bf16", Error);
}
