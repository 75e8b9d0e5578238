#pragma once

/// Marks a function whose plain loops the compiler vectorises: it is compiled for AVX-512, AVX2 + FMA and the baseline,
/// and the best that the CPU has is chosen when the program starts. What it calls must be inlined (KARYON_INLINE) to
/// be compiled the same way.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define KARYON_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KARYON_SIMD
#endif

#define KARYON_INLINE inline __attribute__((always_inline))
