#pragma once

#include <cuda_runtime.h>

/// Tensor-core and asynchronous-copy instructions of the sm_80 class by name. All of them are of a whole warp, but for
/// the copies, which are of a thread. Source: PTX ISA, "Warp-level matrix instructions" and "Data movement".
namespace karyon::kernels::gpu {

/// The address of shared memory as the instructions below take it.
__device__ inline unsigned shared_address(const void* pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

/// One store of 16 or 8 bytes to shared memory. nvcc takes some of a series of float4 stores apart, and the parts meet
/// the same banks.
__device__ inline void store_shared_16(void* target, float4 value) {
    asm volatile("st.shared.v4.f32 [%0], {%1, %2, %3, %4};" ::"r"(shared_address(target)), "f"(value.x), "f"(value.y),
                 "f"(value.z), "f"(value.w)
                 : "memory");
}
__device__ inline void store_shared_8(void* target, float2 value) {
    asm volatile("st.shared.v2.f32 [%0], {%1, %2};" ::"r"(shared_address(target)), "f"(value.x), "f"(value.y)
                 : "memory");
}

/// Copies 16 bytes from global to shared memory, both aligned to 16, past the L1 cache; writes zeros when not `valid`
/// (`source` must be a global address all the same, and is not read).
__device__ inline void cp_async_16(void* target, const void* source, bool valid) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(target)), "l"(source),
                 "r"(valid ? 16 : 0)
                 : "memory");
}
/// As cp_async_16, for 4 bytes aligned to 4, through the L1 cache.
__device__ inline void cp_async_4(void* target, const void* source, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(target)), "l"(source),
                 "r"(valid ? 4 : 0)
                 : "memory");
}
/// Closes the group of the copies that this thread has started since the last one.
__device__ inline void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Waits until at most `pending` of this thread's latest groups are under way. Other threads see the data after a
/// barrier.
template <int pending>
__device__ inline void cp_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

/// Four matrices of 8 rows x 16 bytes. Lane 8 i + r gives the address of row r of matrix i; register i of lane 4 r + j
/// becomes bytes [4 j, 4 j + 4) of row r: two bf16 or one f32.
__device__ inline void ldmatrix_x4(unsigned (&matrix)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrix[0]), "=r"(matrix[1]), "=r"(matrix[2]), "=r"(matrix[3])
                 : "r"(shared_address(row))
                 : "memory");
}
/// The same, each 8x8 matrix of 16-bit elements transposed on the way: lane 4 r + j gets elements [2 j][r] and
/// [2 j + 1][r].
__device__ inline void ldmatrix_x4_trans(unsigned (&matrix)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(matrix[0]), "=r"(matrix[1]), "=r"(matrix[2]), "=r"(matrix[3])
                 : "r"(shared_address(row))
                 : "memory");
}

/// Where the accumulators of a 16x8 product lie: element i of `lane` is c[row][column].
__device__ constexpr int accumulator_row(int lane, int i) { return lane / 4 + i / 2 * 8; }
__device__ constexpr int accumulator_column(int lane, int i) { return lane % 4 * 2 + i % 2; }

/// c[16][8] += a[16][16] * b[16][8], bf16 with f32 sums. With r = lane / 4, j = lane % 4, the registers hold
/// a: [r][2j..], [r + 8][2j..], [r][2j + 8..], [r + 8][2j + 8..];  b: [2j..][r], [2j + 8..][r].
__device__ inline void mma_bf16_16x8x16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// c[16][8] += a[16][8] * b[8][8], TF32 (the low 13 bits of each f32 are dropped) with f32 sums. The registers hold
/// a: [r][j], [r + 8][j], [r][j + 4], [r + 8][j + 4];  b: [j][r], [j + 4][r].
__device__ inline void mma_tf32_16x8x8(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// The bits of an f32 as the sum of two TF32 (11 significant bits each): `big` is x to the nearest, ties away from
/// zero, and `small` what is left, exactly, of which a product drops what lies 21 bits below x.
struct SplitTf32 {
    unsigned big, small;
};
__device__ inline SplitTf32 split_tf32(unsigned x) {
    const unsigned big = (x + 0x1000u) & 0xffffe000u;
    return {big, __float_as_uint(__uint_as_float(x) - __uint_as_float(big))};
}

}  // namespace karyon::kernels::gpu
