#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace karyon {

/// What the tensors of published checkpoints are made of. karyon itself computes in f32.
enum class ElementType : std::uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f16, bf16, f32, f64 };

std::size_t size_of(ElementType);
bool is_real(ElementType);  ///< f16, bf16, f32, f64
std::string_view name_of(ElementType);

/// Little-endian elements at any alignment -> f32, rounded to nearest where f32 holds fewer digits.
/// `from` holds to.size() elements.
void convert_to_float(ElementType, std::span<const std::byte> from, std::span<float> to);

}  // namespace karyon
