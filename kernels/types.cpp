#include "kernels/types.h"

#include <algorithm>

namespace karyon {

std::string_view name_of(DType type) {
    switch (type) {
        case DType::f32:
            return "f32";
        case DType::bf16:
            return "bf16";
        case DType::u8:
            return "u8";
        case DType::i32:
            return "i32";
    }
    return "?";
}

namespace kernels {

Padding Padding::symmetric(int kernel) {
    const int each = (kernel - 1) / 2;
    return {each, each, each, each};
}

Padding Padding::same(int height, int width, int kernel, int stride) {
    const auto total = [&](int size) {
        const int out = (size + stride - 1) / stride;
        return std::max((out - 1) * stride + kernel - size, 0);
    };
    const int rows = total(height), columns = total(width);
    return {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
}

}  // namespace kernels
}  // namespace karyon
