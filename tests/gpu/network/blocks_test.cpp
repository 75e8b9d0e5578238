#include "tests/gpu/network/blocks.h"

#include <doctest/doctest.h>

#include "kernels/conv/expand_depthwise.h"
#include "tensor/allocator.h"

using namespace karyon;
using namespace karyon::test;

// Blocks against their composition: on the CPU, and on the GPU for what they take of memory.
namespace {

const Device cpu{}, gpu{Device::Kind::cuda, 0};

/// |got - expected| over |expected|, in the norm of all elements.
double distance(const Tensor& got, const Tensor& expected) {
    REQUIRE(got.shape() == expected.shape());
    double difference = 0, size = 0;
    for (std::int64_t i = 0; i < got.size(); ++i) {
        const double a = got.data<float>()[i], b = expected.data<float>()[i];
        difference += (a - b) * (a - b);
        size += b * b;
    }
    return std::sqrt(difference / (size + 1e-30));
}

/// Rounding to bf16 moves values over the edge of ReLU, each of which is an error of its own size in the gradient.
void compare(const Build& build) {
    for (const bool training : {true, false})
        for (const DType type : {DType::f32, DType::bf16}) {
            CAPTURE(training);
            CAPTURE(name_of(type));
            const auto results = [&](Device device, DType of, bool fused) {
                Run run(device, of, training);
                if (training) return run.finish(build(run, fused), true);
                const NoGrad no_grad;
                return run.finish(build(run, fused), false);
            };
            const auto expected = results(cpu, DType::f32, false), got = results(gpu, type, true);
            REQUIRE(got.size() == expected.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
                CAPTURE(i);
                CHECK(distance(got[i], expected[i]) < (type == DType::f32 ? 2e-5 : i == 0 ? 2e-2 : 1e-1));
            }
        }
}

std::size_t peak(const Build& build, bool fused) {
    Allocator& memory = Allocator::of(gpu);
    Run run(gpu, DType::bf16, true);
    const std::size_t before = memory.use().live;
    memory.reset_peak();
    run.finish(build(run, fused), true);
    return memory.use().peak - before;
}

void compare_memory(const Build& build) {
    const std::size_t fused = peak(build, true), composed = peak(build, false);
    MESSAGE("peak memory of both ways: fused ", fused, " bytes, of single ops ", composed);
    CHECK(fused < composed);
}

}  // namespace

TEST_CASE("the fused decoder block is its composition") {
    compare(decoder({2, 4, 6}, 16, 8, 16));
    compare(decoder({1, 3, 2}, 24, 6, 10));
    compare(decoder({2, 3, 5}, 16, 0, 8));
}

TEST_CASE("the fused residual block is its composition") {
    compare(residual({2, 6, 7}, 22, 16));
    compare(residual({2, 5, 4}, 8, 8));
}

TEST_CASE("the fused MBConv block is its composition") {
    compare(inverted_bottleneck({3, 6, 7}, {8, 48, 2, 8, 5, 1}, true));
    compare(inverted_bottleneck({2, 7, 6}, {8, 48, 2, 12, 3, 2}, false));
    compare(inverted_bottleneck({2, 5, 6}, {16, 16, 4, 8, 3, 1}, false));
}

TEST_CASE("the MBConv block in inference, with expansion and depthwise convolution in one kernel and in two") {
    for (const bool in_one : {true, false}) {
        const int in = in_one ? 8 : 64;
        for (const DType type : {DType::f32, DType::bf16})
            REQUIRE(kernels::gpu::expand_depthwise_saves_traffic({in, {2, 6, 7, 128, 5, 1, {2, 2, 2, 2}}}, type) ==
                    in_one);
        compare(inverted_bottleneck({2, 6, 7}, {in, 128, 2, 8, 5, 1}, false));
    }
}

TEST_CASE("the fused stem is its composition") {
    compare(stem({2, 7, 10}, 6, 24));
    compare(stem({1, 8, 8}, 3, 5));
}

TEST_CASE("fused blocks take less memory than their compositions") {
    compare_memory(decoder({1, 16, 16}, 64, 32, 32));
    compare_memory(residual({1, 32, 32}, 22, 16));
    compare_memory(inverted_bottleneck({1, 16, 16}, {24, 144, 6, 24, 3, 1}, false));
}
