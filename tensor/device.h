#pragma once

#include <string>

namespace karyon {

/// Where a tensor's elements live.
struct Device {
    enum class Kind : unsigned char { cpu, cuda } kind = Kind::cpu;
    int index = 0;

    bool operator==(const Device&) const = default;
};

/// "cpu", "cuda", "cuda:1". Throws Error on anything else, and where the machine has no such GPU.
Device parse_device(const std::string& text);
std::string name_of(Device);

}  // namespace karyon
