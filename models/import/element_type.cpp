#include "models/import/element_type.h"

#include <bit>
#include <cstring>

#include "kernels/error.h"

namespace karyon {
namespace {

static_assert(std::endian::native == std::endian::little,
              "checkpoints are little-endian, and so is what karyon runs on");

/// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits; f32 holds every value of it exactly.
float from_half(std::uint16_t half) {
    const std::uint32_t sign = std::uint32_t(half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 31u, fraction = half & 0x3ffu;
    if (exponent == 0) {
        const float magnitude = float(fraction) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <typename T, typename Convert>
void convert(std::span<const std::byte> from, std::span<float> to, Convert value_of) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        T element;
        std::memcpy(&element, from.data() + i * sizeof(T), sizeof(T));
        to[i] = value_of(element);
    }
}

template <typename T>
void convert(std::span<const std::byte> from, std::span<float> to) {
    convert<T>(from, to, [](T element) { return static_cast<float>(element); });
}

}  // namespace

std::size_t size_of(ElementType type) {
    switch (type) {
        case ElementType::boolean:
        case ElementType::u8:
        case ElementType::i8:
            return 1;
        case ElementType::u16:
        case ElementType::i16:
        case ElementType::f16:
        case ElementType::bf16:
            return 2;
        case ElementType::u32:
        case ElementType::i32:
        case ElementType::f32:
            return 4;
        case ElementType::u64:
        case ElementType::i64:
        case ElementType::f64:
            return 8;
    }
    return 0;
}

bool is_real(ElementType type) {
    return type == ElementType::f16 || type == ElementType::bf16 || type == ElementType::f32 ||
           type == ElementType::f64;
}

std::string_view name_of(ElementType type) {
    constexpr std::string_view names[] = {"bool", "u8",  "i8",  "u16",  "i16", "u32", "i32",
                                          "u64",  "i64", "f16", "bf16", "f32", "f64"};
    return names[std::size_t(type)];
}

void convert_to_float(ElementType type, std::span<const std::byte> from, std::span<float> to) {
    if (from.size() != to.size() * size_of(type))
        throw Error("checkpoint", "expected {} bytes for {} elements of {}, found {}", to.size() * size_of(type),
                    to.size(), name_of(type), from.size());
    switch (type) {
        case ElementType::boolean:
        case ElementType::u8:
            return convert<std::uint8_t>(from, to);
        case ElementType::i8:
            return convert<std::int8_t>(from, to);
        case ElementType::u16:
            return convert<std::uint16_t>(from, to);
        case ElementType::i16:
            return convert<std::int16_t>(from, to);
        case ElementType::u32:
            return convert<std::uint32_t>(from, to);
        case ElementType::i32:
            return convert<std::int32_t>(from, to);
        case ElementType::u64:
            return convert<std::uint64_t>(from, to);
        case ElementType::i64:
            return convert<std::int64_t>(from, to);
        case ElementType::f16:
            return convert<std::uint16_t>(from, to, from_half);
        case ElementType::bf16:
            return convert<std::uint16_t>(
                from, to, [](std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); });
        case ElementType::f32:
            if (!to.empty()) std::memcpy(to.data(), from.data(), from.size());
            return;
        case ElementType::f64:
            return convert<double>(from, to);
    }
}

}  // namespace karyon
