#pragma once

#include <vector>

#include "kernels/resample/pad_crop.h"

namespace karyon::test {

inline std::size_t elements(const kernels::PadShape& s, int height, int width) {
    return static_cast<std::size_t>(s.batch) * static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
           static_cast<std::size_t>(s.channels);
}

template <typename T>
std::vector<T> pad_reference(const kernels::PadShape& s, const std::vector<T>& x) {
    std::vector<T> y;
    for (int n = 0; n < s.batch; ++n)
        for (int i = -s.pad.top; i < s.height + s.pad.bottom; ++i)
            for (int j = -s.pad.left; j < s.width + s.pad.right; ++j)
                for (int c = 0; c < s.channels; ++c) {
                    const bool inside = i >= 0 && i < s.height && j >= 0 && j < s.width;
                    const int at = ((n * s.height + i) * s.width + j) * s.channels + c;
                    y.push_back(inside ? x[static_cast<std::size_t>(at)] : T(0));
                }
    return y;
}

}  // namespace karyon::test
