#include "kernels/elementwise/cast.h"

#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

TEST_CASE("cast rounds to bf16 and back, and widens bytes") {
    Stream stream;
    for (const std::size_t size : {1u, 19u, 16384u * 2u + 3u}) {
        const std::vector<float> x = random_values(size, 1, -1e3f, 1e3f);
        std::vector<bfloat16> narrow(size);
        std::vector<std::uint8_t> bytes(size);
        std::vector<float> rounded(size), levels(size);
        for (std::size_t i = 0; i < size; ++i) {
            rounded[i] = static_cast<float>(bfloat16(x[i]));
            bytes[i] = static_cast<std::uint8_t>(i * 7);
            levels[i] = static_cast<float>(bytes[i]);
        }
        const auto count = static_cast<std::int64_t>(size);
        Guarded wide(size), of_bytes(size);
        cpu::cast(stream, count, x.data(), narrow.data());
        cpu::cast(stream, count, narrow.data(), wide.data());
        cpu::cast(stream, count, bytes.data(), of_bytes.data());
        check_identical(wide, rounded);
        check_identical(of_bytes, levels);
        CHECK(wide.intact());
        CHECK(of_bytes.intact());
    }
}

TEST_CASE("cast names the pair that it does not take") {
    Stream stream;
    const float x[1] = {};
    std::uint8_t y[1];
    CHECK_THROWS_WITH_AS(cpu::cast(stream, 1, x, y),
                         "[cast] expected f32 to bf16, bf16 to f32 or u8 to f32, got f32 to u8", Error);
}
