// Ops that are wrong on purpose in ways that no check of an access sees: the checks of an OpCase must. The remark
// `caught: FAULT [TEXT] SETTINGS` states a part of the failure that must be reported; `silent: NAME` that there is
// none. tests/gpu/control/fails.sh holds the failures against these remarks.
#include "kernels/launch.cuh"
#include "tests/gpu/control/broken_ops.h"

namespace karyon::test {
namespace {

constexpr int threads = 64;

__device__ int element() { return static_cast<int>(blockIdx.x * threads + threadIdx.x); }

// y = 2 x. silent: sound
__global__ void sound(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] = 2 * x[i];
}

// caught: writes_behind [a write outside result 0]
__global__ void writes_behind(int count, float* x, void* y) {
    if (const int i = element(); i <= count) static_cast<float*>(y)[i] = i < count ? 2 * x[i] : 0;
}

// caught: writes_before [a write outside result 0]
__global__ void writes_before(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] = 2 * x[i];
    if (element() == 0) static_cast<float*>(y)[-1] = 0;
}

// caught: changes_input [input 0 or its guards changed]
__global__ void changes_input(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] = x[i] *= 2;
}

// caught: forgets_an_element [nan]
__global__ void forgets_an_element(int count, float* x, void* y) {
    if (const int i = element(); i < count - 1) static_cast<float*>(y)[i] = 2 * x[i];
}

// The elements that do not fill a vector of four. caught: wrong_tail [values differ]
__global__ void wrong_tail(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] = 2 * x[i < count / 4 * 4 ? i : count / 4 * 4];
}

// += where = was asked for. caught: adds_to_the_result [nan]
__global__ void adds_to_the_result(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] += 2 * x[i];
}

__device__ unsigned left_behind = 0;

// Memory that a run before has left in another state. caught: differs_from_run_to_run [two runs gave different bits]
__global__ void differs_from_run_to_run(int count, float* x, void* y) {
    if (const int i = element(); i < count) static_cast<float*>(y)[i] = 2 * x[i];
    if (element() == 0) static_cast<unsigned*>(y)[0] ^= left_behind++ & 1;
}

// bf16, rounded towards zero: every value is nearly right. caught: truncates [values differ]
__global__ void truncates(int count, float* x, void* y) {
    if (const int i = element(); i < count)
        static_cast<std::uint16_t*>(y)[i] = static_cast<std::uint16_t>(__float_as_uint(2 * x[i]) >> 16);
}

// Relies on the block before it. caught: needs_the_order_of_blocks [nan] PTXCPU_ORDER=rev
__global__ void needs_the_order_of_blocks(int count, float* x, void* y) {
    auto* of = static_cast<volatile float*>(y);
    const int i = element();
    if (i >= count) return;
    of[i] = threadIdx.x == 0 && blockIdx.x > 0 ? of[i - 1] + 2 * (x[i] - x[i - 1]) : 2 * x[i];
}

// Takes the order in which warps come for their order in the block.
// caught: needs_the_order_of_warps [values differ] PTXCPU_ORDER=rev
__global__ void needs_the_order_of_warps(int count, float* x, void* y) {
    __shared__ int arrived;
    if (threadIdx.x == 0) arrived = 0;
    __syncthreads();
    int warp = 0;
    if (threadIdx.x % 32 == 0) warp = atomicAdd(&arrived, 1);
    warp = __shfl_sync(0xffffffffu, warp, 0);
    const int from = element() - static_cast<int>(threadIdx.x) + warp * 32 + static_cast<int>(threadIdx.x % 32);
    if (const int i = element(); i < count && from < count) static_cast<float*>(y)[i] = 2 * x[from];
}

// y [1] += the sum of x. caught: sums_by_float_atomics [values differ] PTXCPU_ORDER=rev
__global__ void sums_by_float_atomics(int count, float* x, void* y) {
    if (const int i = element(); i < count) atomicAdd(static_cast<float*>(y), x[i]);
}

// As above, over many more elements. caught: sums_in_any_order [two runs gave different bits] PTXCPU_THREADS=2
__global__ void sums_in_any_order(int count, float* x, void* y) {
    if (const int i = element(); i < count) atomicAdd(static_cast<float*>(y), x[i]);
}

// y [16, 8] = a [16, 16] b [16, 8], with x = a, then b; by one warp.
template <bool mixed>
__device__ void product(const float* x, float* y) {
    const float *a = x, *b = x + 16 * 16;
    const int row = static_cast<int>(threadIdx.x) / 4, column = static_cast<int>(threadIdx.x) % 4 * 2;
    // Of numbers that bf16 holds exactly.
    const auto pair = [](float low, float high) { return __float_as_uint(low) >> 16 | __float_as_uint(high); };
    const auto of_a = [&](int r, int k) { return pair(a[r * 16 + k], a[r * 16 + k + 1]); };
    const auto of_b = [&](int k) { return pair(b[k * 8 + row], b[(k + 1) * 8 + row]); };
    const unsigned below = of_a(row + 8, column), right = of_a(row, column + 8);
    float sum[4] = {};
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(of_a(row, column)), "r"(mixed ? right : below), "r"(mixed ? below : right),
          "r"(of_a(row + 8, column + 8)), "r"(of_b(column)), "r"(of_b(column + 8)));
    for (int i = 0; i < 4; ++i) y[(row + i / 2 * 8) * 8 + column + i % 2] = sum[i];
}

// silent: sound_product
__global__ void sound_product(int, float* x, void* y) { product<false>(x, static_cast<float*>(y)); }

// Two registers of a fragment in each other's place. caught: mixes_fragments [values differ]
__global__ void mixes_fragments(int, float* x, void* y) { product<true>(x, static_cast<float*>(y)); }

struct Op {
    std::string_view name;
    void (*kernel)(int, float*, void*);
};
#define OP(name) \
    { #name, name }
constexpr Op ops[] = {
    OP(sound),
    OP(writes_behind),
    OP(writes_before),
    OP(changes_input),
    OP(forgets_an_element),
    OP(wrong_tail),
    OP(adds_to_the_result),
    OP(differs_from_run_to_run),
    OP(truncates),
    OP(needs_the_order_of_blocks),
    OP(needs_the_order_of_warps),
    OP(sums_by_float_atomics),
    OP(sums_in_any_order),
    OP(sound_product),
    OP(mixes_fragments),
};

}  // namespace

void run_broken(kernels::CudaStream& stream, std::string_view name, int count, float* x, void* y) {
    const bool by_warp = name.ends_with("product") || name == "mixes_fragments";
    const dim3 blocks(by_warp ? 1 : static_cast<unsigned>(count / threads + 1));
    for (const Op& op : ops)
        if (op.name == name)
            return kernels::gpu::launch("broken op", stream, {blocks, by_warp ? 32 : threads}, op.kernel, count, x, y);
    throw Error("broken op", "expected the name of a kernel, got {}", name);
}

}  // namespace karyon::test
