#pragma once

#include "kernels/conv/gemm.cuh"
#include "kernels/launch.cuh"

namespace karyon::kernels::gpu {

template <typename Config>
void launch_config(const char* op, Stream& stream, const GemmArguments<typename Config::T>& g, const GemmPlan& plan) {
    const std::size_t shared_bytes = static_cast<std::size_t>(Config::fixed_bytes) + g.prologue.shared_bytes();
    constexpr std::size_t most_shared_bytes = 99 * 1024;  // of sm_86 and sm_89
    if (shared_bytes > most_shared_bytes)
        throw Error(op, "expected at most {} channels with a prologue, got {}",
                    (most_shared_bytes - Config::fixed_bytes) / 12, g.prologue.channels);
    const long long blocks = 1LL * plan.block_rows(g.rows) * plan.column_tiles(g.columns) * plan.slices;
    launch(op, stream, {static_cast<unsigned>(blocks), Config::threads, shared_bytes}, gemm_kernel<Config>, g);
}

template <typename T, Pass pass>
void launch_gemm(const char* op, Stream& stream, const GemmArguments<T>& g, const GemmPlan& plan) {
    if constexpr (pass == Pass::backward_weights) {
        if (plan.in_words) return launch_config<GemmConfig<T, pass, 64, 64, 4>>(op, stream, g, plan);
        if constexpr (sizeof(T) == 2)
            if (plan.tile_columns == 128) return launch_config<GemmConfig<T, pass, 128, 128, 16>>(op, stream, g, plan);
        return launch_config<GemmConfig<T, pass, 64, 64, 16>>(op, stream, g, plan);
    } else {
        if (plan.in_words) return launch_config<GemmConfig<T, pass, 128, 64, 4>>(op, stream, g, plan);
        if (plan.tile_columns == 32) return launch_config<GemmConfig<T, pass, 128, 32, 16>>(op, stream, g, plan);
        if constexpr (sizeof(T) == 2)
            if (plan.tile_columns == 128) return launch_config<GemmConfig<T, pass, 128, 128, 16>>(op, stream, g, plan);
        return launch_config<GemmConfig<T, pass, 128, 64, 16>>(op, stream, g, plan);
    }
}

}  // namespace karyon::kernels::gpu
