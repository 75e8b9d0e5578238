#include "kernels/elementwise/add.h"

#include <doctest/doctest.h>

#include <bit>
#include <random>

#include "kernels/cuda_stream.h"
#include "tests/gpu/device_buffer.h"

using namespace karyon;
using test::DeviceBuffer;

namespace {

std::vector<float> random_values(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-4.0f, 4.0f);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(random);
    return values;
}

template <typename T>
std::vector<T> as(const std::vector<float>& values) {
    return std::vector<T>(values.begin(), values.end());
}

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }
std::uint32_t bits_of(bfloat16 value) { return value.bits; }

void add_on_cpu(const float* a, const float* b, std::vector<float>& y) {
    kernels::Stream stream;
    kernels::cpu::add(stream, static_cast<std::int64_t>(y.size()), a, b, y.data());
}
void add_on_cpu(const bfloat16* a, const bfloat16* b, std::vector<bfloat16>& y) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bfloat16(static_cast<float>(a[i]) + static_cast<float>(b[i]));
}

/// Both sides round the same float sum, so they agree to the bit. `offset` elements before the operands misalign them.
template <typename T>
void compare_with_cpu(std::size_t count, std::size_t offset = 0) {
    CAPTURE(count);
    CAPTURE(offset);
    const auto a = as<T>(random_values(count + offset, 1)), b = as<T>(random_values(count + offset, 2));
    std::vector<T> expected(count);
    add_on_cpu(a.data() + offset, b.data() + offset, expected);

    DeviceBuffer<T> device_a{std::span<const T>(a)}, device_b{std::span<const T>(b)}, device_y(count + offset);
    kernels::CudaStream gpu;
    kernels::gpu::add(gpu, static_cast<std::int64_t>(count), device_a.data() + offset, device_b.data() + offset,
                      device_y.data() + offset);
    test::cuda_ok(cudaDeviceSynchronize());
    const std::vector<T> got = device_y.read();
    std::size_t differing = 0;
    for (std::size_t i = 0; i < count; ++i) differing += bits_of(got[offset + i]) != bits_of(expected[i]);
    CHECK(differing == 0);
}

const std::size_t counts[] = {0, 1, 3, 4, 7, 8, 9, 1023, 1024, 2049, 100003};

}  // namespace

TEST_CASE("add on the GPU equals add on the CPU, with every kind of tail") {
    for (const std::size_t count : counts) {
        compare_with_cpu<float>(count);
        compare_with_cpu<bfloat16>(count);
    }
}

TEST_CASE("add takes operands that are not aligned to 16 bytes") {
    compare_with_cpu<float>(1001, 1);
    compare_with_cpu<bfloat16>(1001, 3);
}

TEST_CASE("add works in place") {
    const std::vector<float> a = random_values(1001, 3);
    DeviceBuffer<float> device{std::span<const float>(a)};
    kernels::CudaStream gpu;
    kernels::gpu::add(gpu, 1001, device.data(), device.data(), device.data());
    const std::vector<float> got = device.read();
    for (std::size_t i = 0; i < a.size(); ++i) REQUIRE(got[i] == 2 * a[i]);
}

TEST_CASE("add names the element type it does not take") {
    std::int32_t value = 0;
    kernels::CudaStream gpu;
    CHECK_THROWS_WITH_AS(kernels::gpu::add(gpu, 1, &value, &value, &value),
                         "[add] expected f32 or bf16 elements, got i32", Error);
}
