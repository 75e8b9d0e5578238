#pragma once

#include <vector>

#include "kernels/resample/upsample_nearest.h"

namespace karyon::test {

inline std::size_t size_of_input(const kernels::UpsampleShape& s) {
    return static_cast<std::size_t>(s.batch) * static_cast<std::size_t>(s.height) * static_cast<std::size_t>(s.width) *
           static_cast<std::size_t>(s.channels);
}

/// The index in x of every element of y.
inline std::vector<std::size_t> upsample_sources(const kernels::UpsampleShape& s) {
    std::vector<std::size_t> sources;
    for (int n = 0; n < s.batch; ++n)
        for (int i = 0; i < 2 * s.height; ++i)
            for (int j = 0; j < 2 * s.width; ++j)
                for (int c = 0; c < s.channels; ++c)
                    sources.push_back(
                        static_cast<std::size_t>(((n * s.height + i / 2) * s.width + j / 2) * s.channels + c));
    return sources;
}

}  // namespace karyon::test
