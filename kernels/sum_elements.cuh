#pragma once

#include "kernels/map.cuh"
#include "kernels/reduce.cuh"

/// Sums over whole arrays in one pass and in a fixed order, in two kernels: blocks to partial sums in double, those to
/// the result.
namespace karyon::kernels::gpu {

inline constexpr int sum_threads = 256;
/// Packs whose terms one thread adds up as Term::Partial before they go to double.
inline constexpr int sum_packs = 4;
inline constexpr std::int64_t most_sum_blocks = 1024;

/// How the elements go over the blocks: by the shape alone, at most most_sum_blocks of them.
template <int width>
struct SumBlocks {
    static constexpr std::int64_t chunk = sum_threads * sum_packs * width;
    std::int64_t per_block;
    int blocks;

    explicit SumBlocks(std::int64_t count) {
        const std::int64_t chunks = (count + chunk - 1) / chunk;
        const std::int64_t chunks_per_block = (chunks + most_sum_blocks - 1) / most_sum_blocks;
        per_block = chunk * (chunks_per_block > 0 ? chunks_per_block : 1);
        blocks = static_cast<int>((count + per_block - 1) / per_block);
    }
};

// partial [Term::sums, blocks].
template <typename Term, typename A, typename B>
__global__ void __launch_bounds__(sum_threads)
    sum_blocks_kernel(std::int64_t count, std::int64_t per_block, bool aligned, Term term, const A* a, const B* b,
                      double* partial) {
    constexpr int width = common_width<A, B>, sums = Term::sums;
    constexpr std::int64_t chunk = SumBlocks<width>::chunk;
    const std::int64_t begin = blockIdx.x * per_block, end = min(begin + per_block, count);
    double total[sums] = {};
    for (std::int64_t at = begin; at < end; at += chunk) {
        const BlockSpan span(at, chunk, end, aligned, width);
        const std::int64_t first = span.begin + static_cast<int>(threadIdx.x) * width;
        typename Term::Partial sum[sums] = {};
#pragma unroll
        for (int k = 0; k < sum_packs; ++k) {
            const std::int64_t from = first + k * sum_threads * width;
            if (from >= span.packed) continue;
            const auto left = *reinterpret_cast<const Pack<A, width>*>(a + from);
            const auto right = *reinterpret_cast<const Pack<B, width>*>(b + from);
#pragma unroll
            for (int i = 0; i < width; ++i) term.add(sum, to_float(left.at[i]), to_float(right.at[i]));
        }
        for (std::int64_t from = span.packed + threadIdx.x; from < span.end; from += sum_threads)
            term.add(sum, to_float(a[from]), to_float(b[from]));
        for (int s = 0; s < sums; ++s) total[s] += static_cast<double>(sum[s]);
    }
    for (int s = 0; s < sums; ++s) {
        const double sum = block_sum<sum_threads>(total[s]);
        if (threadIdx.x == 0) partial[s * static_cast<int>(gridDim.x) + static_cast<int>(blockIdx.x)] = sum;
    }
}

template <int sums, typename Finish>
__global__ void __launch_bounds__(sum_threads) finish_sums_kernel(int blocks, const double* partial, Finish finish) {
    double total[sums] = {};
    for (int block = static_cast<int>(threadIdx.x); block < blocks; block += sum_threads)
        for (int s = 0; s < sums; ++s) total[s] += partial[s * blocks + block];
    for (int s = 0; s < sums; ++s) total[s] = block_sum<sum_threads>(total[s]);
    if (threadIdx.x == 0) finish(total);
}

/// Term: `sums`, how many; `Partial`, the type of short sums; `add(sum, a, b)`, a __device__ function that adds the
/// terms of one element. Finish: `__device__ void operator()(const double (&)[sums]) const` writes the results.
template <typename Term, typename A, typename B, typename Finish>
void sum_elements(const char* name, Stream& stream, std::int64_t count, const Term& term, const A* a, const B* b,
                  const Finish& finish) {
    constexpr int width = common_width<A, B>, sums = Term::sums;
    const SumBlocks<width> grid(count);
    const auto bytes = static_cast<std::size_t>(grid.blocks) * sums * sizeof(double);
    auto* partial = static_cast<double*>(static_cast<CudaStream&>(stream).scratch(bytes));
    if (grid.blocks > 0)
        launch(name, stream, {static_cast<unsigned>(grid.blocks), sum_threads}, sum_blocks_kernel<Term, A, B>, count,
               grid.per_block, are_aligned<width>(a, b), term, a, b, partial);
    launch(name, stream, {1, sum_threads}, finish_sums_kernel<sums, Finish>, grid.blocks, partial, finish);
}

}  // namespace karyon::kernels::gpu
