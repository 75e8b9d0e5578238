#pragma once

namespace karyon::kernels {

/// From 8-bit levels of red, green and blue to what a network sees: level * gain + shift, each channel its own.
/// (level / 255 - mean) / std is gain = 1 / (255 std), shift = -mean / std.
struct ChannelScale {
    float gain[3] = {1, 1, 1}, shift[3] = {0, 0, 0};
};

}  // namespace karyon::kernels
