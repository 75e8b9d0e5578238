#include "kernels/elementwise/fill.h"

#include <algorithm>

namespace karyon::kernels::cpu {

void fill(Stream&, std::int64_t count, float value, Out y) { std::fill_n(y.as<float>(), count, value); }

}  // namespace karyon::kernels::cpu
