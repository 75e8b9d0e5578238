#pragma once

#include "kernels/conv/gemm_prologue.cuh"
#include "kernels/conv/gemm_sources.cuh"
#include "kernels/conv/gemm_tile.cuh"

namespace karyon::kernels::gpu {

/// Fills the stages of one operand. Each thread owns the same pieces of 16 bytes of every stage: it starts their copies
/// and later, with a prologue, normalises them where they lie. Pieces of 4 bytes are for channel counts and
/// pointers that are not multiples of 16 bytes; neighbouring lanes then take neighbouring words.
template <typename T, typename Tile, typename Source, int threads, int piece_bytes>
class Loader {
  public:
    /// `first` is the tile's first row of A or column of B.
    __device__ Loader(const Source& source, int first) : source_(source), first_(first) {
        if constexpr (keeps_outer) {
#pragma unroll
            for (int pass = 0; pass < passes; ++pass) outer_[pass] = source_.outer(first + row_of(pass));
        }
        if constexpr (!is_k_major) decode(inner_, first);
    }

    /// Starts the copies of K = k ... k + Tile::depth - 1.
    __device__ void load(unsigned char* tile, int k) const {
        Inner inner[inners];
        if constexpr (is_k_major) decode(inner, k);
#pragma unroll(keeps_outer || piece_bytes == 16 ? passes : 1)
        for (int pass = 0; pass < passes; ++pass) {
            unsigned char* const target = tile + Tile::offset(row_of(pass), column() * piece_bytes);
            if constexpr (keeps_outer)
                copy(target, outer_[pass], inner);
            else if constexpr (is_k_major)
                copy(target, source_.outer(first_ + row_of(pass)), inner);
            else
                copy(target, source_.outer(k + row_of(pass)), inner_);
        }
    }

    /// Normalises what load() has copied, after the wait for it and before the barrier. Zeros outside the image stay.
    __device__ void normalise(unsigned char* tile, int k, const DevicePrologue& prologue,
                              const float* coefficients) const {
        Inner inner[inners];
        decode(inner, is_k_major ? k : first_);
#pragma unroll 1
        for (int pass = 0; pass < passes; ++pass) {
            const Outer outer = source_.outer((is_k_major ? first_ : k) + row_of(pass));
            T* const target = reinterpret_cast<T*>(tile + Tile::offset(row_of(pass), column() * piece_bytes));
            if (inners == 1 || source_.whole_words) {
                if (source_.address(outer, inner[0]))
                    prologue.apply<piece>(target, outer.image, inner[0].channel, coefficients);
            } else {
#pragma unroll 1
                for (int i = 0; i < inners; ++i) {
                    const Inner one = i == 0 ? inner[0] : inner[inners - 1];
                    if (source_.address(outer, one))
                        prologue.apply<1>(target + i, outer.image, one.channel, coefficients);
                }
            }
        }
    }

  private:
    using Outer = typename Source::Outer;
    using Inner = typename Source::Inner;
    static constexpr bool is_k_major = Tile::layout == Layout::k_major;
    static constexpr int piece = piece_bytes / static_cast<int>(sizeof(T));
    static constexpr int inners = piece_bytes == 4 ? piece : 1;  // a word of bf16 may straddle two pixels
    static constexpr int row_pieces = Tile::row_bytes / piece_bytes;
    static constexpr int stride = threads / row_pieces;  // rows that the block fills at once
    static constexpr int passes = Tile::rows / stride;
    static_assert(threads % row_pieces == 0 && passes * stride == Tile::rows);

    // The rows of a K-major tile stay; decoding them again each time is for small pieces, of which there are many.
    static constexpr bool keeps_outer = is_k_major && piece_bytes == 16;

    __device__ static int row_of(int pass) { return static_cast<int>(threadIdx.x) / row_pieces + pass * stride; }
    __device__ static int column() { return static_cast<int>(threadIdx.x) % row_pieces; }
    __device__ void decode(Inner (&inner)[inners], int first) const {
#pragma unroll
        for (int i = 0; i < inners; ++i) inner[i] = source_.inner(first + column() * piece + i);
    }

    __device__ void copy(unsigned char* target, const Outer& outer, const Inner (&inner)[inners]) const {
        const T* const address = source_.address(outer, inner[0]);
        if constexpr (piece_bytes == 16) {
            cp_async_16(target, address ? address : source_.somewhere(), address);
        } else if (inners == 1 || source_.whole_words) {
            cp_async_4(target, address ? address : source_.somewhere(), address);
        } else {
            const T* const second = source_.address(outer, inner[inners - 1]);
            T* const pair = reinterpret_cast<T*>(target);
            pair[0] = address ? *address : T();
            pair[inners - 1] = second ? *second : T();
        }
    }

    const Source& source_;
    int first_;
    Outer outer_[keeps_outer ? passes : 1];
    Inner inner_[inners];
};

}  // namespace karyon::kernels::gpu
