#pragma once

/// What one thread of a depthwise kernel computes at a time: a patch of rows x columns outputs, all in registers, from
/// a patch of in_rows x in_columns inputs, each read once. Which tap joins an output to an input is known to the
/// compiler, and the same along both axes.
namespace karyon::kernels::gpu::depthwise {

/// out[p] = sum_r in[p * s + r] * w[r]: forward, and the data gradient of stride 1 with the taps in reverse.
template <int k, int s, int rows_, int columns_>
struct Correlation {
    static constexpr int kernel = k, rows = rows_, columns = columns_;
    static constexpr int in_rows = (rows - 1) * s + k, in_columns = (columns - 1) * s + k;
    static constexpr int row_step = rows * s, column_step = columns * s;  ///< of the inputs, from patch to patch

    /// The tap between an output and an input of a patch; outside [0, kernel) there is none.
    __device__ static constexpr int tap(int out, int in) { return in - out * s; }
};

/// The data gradient of stride 2 in gather form: in[d] is read by out[u] with u = 2 d + r. Patches start at even u,
/// `reach` inputs before u / 2.
template <int k, int rows_, int columns_>
struct Transposed {
    static constexpr int kernel = k, rows = rows_, columns = columns_;
    static constexpr int reach = (k - 1) / 2;
    static constexpr int in_rows = rows / 2 + reach, in_columns = columns / 2 + reach;
    static constexpr int row_step = rows / 2, column_step = columns / 2;
    static_assert(rows % 2 == 0 && columns % 2 == 0);

    __device__ static constexpr int tap(int out, int in) { return out + 2 * (reach - in); }
};

/// Calls visit(r, s, m, n) for every tap [r, s] by which input [i, j] of a patch reaches an output [m, n].
template <typename Window, typename Visit>
__device__ inline void for_each_tap(int i, int j, Visit visit) {
#pragma unroll
    for (int m = 0; m < Window::rows; ++m) {
        const int r = Window::tap(m, i);
        if (r < 0 || r >= Window::kernel) continue;
#pragma unroll
        for (int n = 0; n < Window::columns; ++n) {
            const int s = Window::tap(n, j);
            if (s >= 0 && s < Window::kernel) visit(r, s, m, n);
        }
    }
}

}  // namespace karyon::kernels::gpu::depthwise
