#include "tensor/device.h"

#include <charconv>

#include "tensor/cuda.h"

namespace karyon {

Device parse_device(const std::string& text) {
    if (text == "cpu") return {};
    Device device{Device::Kind::cuda, 0};
    if (text.starts_with("cuda:")) {
        const char *first = text.data() + 5, *last = text.data() + text.size();
        const auto [end, error] = std::from_chars(first, last, device.index);
        if (error != std::errc() || end != last || device.index < 0)
            throw Error("device", "expected cpu, cuda or cuda:NUMBER, got {}", text);
    } else if (text != "cuda") {
        throw Error("device", "expected cpu, cuda or cuda:NUMBER, got {}", text);
    }
    cuda::stream(device.index);  // says why where there is no such GPU
    return device;
}

std::string name_of(Device device) {
    return device.kind == Device::Kind::cpu ? "cpu" : fmt::format("cuda:{}", device.index);
}

}  // namespace karyon
