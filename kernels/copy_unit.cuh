#pragma once

#include <vector_types.h>

#include <cstddef>
#include <cstdint>

namespace karyon::kernels::gpu {

/// Calls body with the largest type that kernels which only move data may move at a time: `bits` is the bitwise or of
/// all addresses, and of all distances in bytes between pieces, that the kernel will add up. 16, 4 or 2 bytes.
template <typename Body>
void with_copy_unit(std::size_t bits, Body body) {
    if (bits % 16 == 0) return body.template operator()<uint4>();
    if (bits % 4 == 0) return body.template operator()<std::uint32_t>();
    return body.template operator()<std::uint16_t>();
}

inline std::size_t address_bits(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace karyon::kernels::gpu
