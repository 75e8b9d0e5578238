#include "bench/step/fma_peak.h"

#include "kernels/conv/conv2d.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace karyon::bench {
namespace {

constexpr int repeats = 1 << 17;
volatile float sink;

#if defined(__x86_64__)

// As many chains as hide the latency of two units: 4 cycles times 2, and some more.
__attribute__((target("avx512f"))) double f32_avx512() {
    constexpr int chains = 16;
    __m512 sum[chains];
    const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
    for (__m512& s : sum) s = b;
    for (int i = 0; i < repeats; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < chains; ++j) sum[j] = _mm512_fmadd_ps(sum[j], a, b);
    for (const __m512& s : sum) sink = _mm512_cvtss_f32(s);
    return 2.0 * 16 * chains * repeats;
}

__attribute__((target("avx2,fma"))) double f32_avx2() {
    constexpr int chains = 12;
    __m256 sum[chains];
    const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    for (__m256& s : sum) s = b;
    for (int i = 0; i < repeats; ++i)
#pragma GCC unroll 12
        for (int j = 0; j < chains; ++j) sum[j] = _mm256_fmadd_ps(sum[j], a, b);
    for (const __m256& s : sum) sink = _mm256_cvtss_f32(s);
    return 2.0 * 8 * chains * repeats;
}

__attribute__((target("avx512f,avx512bf16"))) double bf16_avx512() {
    constexpr int chains = 16;
    __m512 sum[chains];
    const auto pairs = (__m512bh)_mm512_set1_epi32(0x3c003c00);  // 2^-7 twice: the sums stay small
    for (__m512& s : sum) s = _mm512_setzero_ps();
    for (int i = 0; i < repeats; ++i)
#pragma GCC unroll 16
        for (int j = 0; j < chains; ++j) sum[j] = _mm512_dpbf16_ps(sum[j], pairs, pairs);
    for (const __m512& s : sum) sink = _mm512_cvtss_f32(s);
    return 4.0 * 16 * chains * repeats;
}

#endif

double f32_plain() {
    constexpr int chains = 64;
    float sum[chains];
    for (float& s : sum) s = 0.001f;
    for (int i = 0; i < repeats; ++i)
        for (float& s : sum) s = s * 0.999f + 0.001f;
    for (const float s : sum) sink = s;
    return 2.0 * chains * repeats;
}

struct Loop {
    const char* name;
    double (*run)();
};

Loop loop_of([[maybe_unused]] Arithmetic arithmetic) {
#if defined(__x86_64__)
    if (arithmetic == Arithmetic::bf16 && kernels::cpu::has_bf16()) return {"AVX-512 VDPBF16PS", bf16_avx512};
    if (__builtin_cpu_supports("avx512f")) return {"AVX-512 FMA", f32_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"AVX2 FMA", f32_avx2};
#endif
    return {"plain multiply and add", f32_plain};
}

}  // namespace

double multiply_add_loop(Arithmetic arithmetic) { return loop_of(arithmetic).run(); }
const char* multiply_add_name(Arithmetic arithmetic) { return loop_of(arithmetic).name; }

}  // namespace karyon::bench
