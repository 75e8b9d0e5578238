#include "tensor/device.h"

#include "kernels/error.h"

namespace karyon {

Device parse_device(const std::string& text) {
    if (text == "cpu") return {};
    if (text.starts_with("cuda")) throw Error("device", "expected cpu (this build has no CUDA network), got {}", text);
    throw Error("device", "expected cpu, got {}", text);
}

std::string name_of(Device device) {
    return device.kind == Device::Kind::cpu ? "cpu" : fmt::format("cuda:{}", device.index);
}

}  // namespace karyon
