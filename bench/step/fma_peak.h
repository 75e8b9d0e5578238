#pragma once

#include "bench/step/op_case.h"

namespace karyon::bench {

/// Runs independent multiply-adds on registers alone, on the calling thread, and returns how many flops these were.
/// f32: AVX-512 or AVX2 FMA; bf16: VDPBF16PS where the processor has it, else as f32.
double multiply_add_loop(Arithmetic);

/// What it runs: "AVX-512 FMA", ...
const char* multiply_add_name(Arithmetic);

}  // namespace karyon::bench
