#include "tests/gpu/op_case.h"

#include <cuda_runtime_api.h>

#include <cstring>

#include "tests/gpu/device_buffer.h"

namespace karyon::test {

using namespace kernels;

namespace {

constexpr std::size_t guard_bytes = 256;
constexpr std::byte guard_pattern{0xa5};

using Bytes = std::vector<std::byte>;

template <typename T>
Bytes narrowed(const Doubles& values) {
    Bytes bytes(values.size() * sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
        const T value(static_cast<float>(values[i]));
        std::memcpy(bytes.data() + i * sizeof(T), &value, sizeof(T));
    }
    return bytes;
}

Bytes to_bytes(DType type, const Doubles& values) {
    switch (type) {
        case DType::f32:
            return narrowed<float>(values);
        case DType::bf16:
            return narrowed<bfloat16>(values);
        case DType::u8:
            return narrowed<std::uint8_t>(values);
        case DType::i32:
            return narrowed<std::int32_t>(values);
    }
    return {};
}

template <typename T>
Doubles widened(const Bytes& bytes) {
    Doubles values(bytes.size() / sizeof(T));
    for (std::size_t i = 0; i < values.size(); ++i) {
        T value;
        std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
        values[i] = static_cast<double>(static_cast<float>(value));
    }
    return values;
}

Doubles from_bytes(DType type, const Bytes& bytes) {
    switch (type) {
        case DType::f32:
            return widened<float>(bytes);
        case DType::bf16:
            return widened<bfloat16>(bytes);
        case DType::u8:
            return widened<std::uint8_t>(bytes);
        case DType::i32:
            return widened<std::int32_t>(bytes);
    }
    return {};
}

/// Device memory that shows writes before and behind it.
class GuardedBuffer {
  public:
    explicit GuardedBuffer(const Bytes& content)
        : size_(content.size()), before_(with_guards(content)), buffer_(std::span<const std::byte>(before_)) {}

    void* data() { return buffer_.data() + guard_bytes; }
    Bytes content() const {
        const Bytes all = buffer_.read();
        return Bytes(all.begin() + guard_bytes, all.begin() + guard_bytes + std::ptrdiff_t(size_));
    }
    bool unchanged() const { return buffer_.read() == before_; }
    bool guards_intact() const {
        const Bytes all = buffer_.read();
        const auto is_guard = [](std::byte byte) { return byte == guard_pattern; };
        return std::all_of(all.begin(), all.begin() + guard_bytes, is_guard) &&
               std::all_of(all.end() - guard_bytes, all.end(), is_guard);
    }

  private:
    static Bytes with_guards(const Bytes& content) {
        Bytes all(content.size() + 2 * guard_bytes, guard_pattern);
        std::copy(content.begin(), content.end(), all.begin() + guard_bytes);
        return all;
    }

    std::size_t size_;
    Bytes before_;
    DeviceBuffer<std::byte> buffer_;
};

struct Buffers {
    std::vector<std::unique_ptr<GuardedBuffer>> inputs, results;
    std::vector<In> ins;
    std::vector<Out> outs;

    explicit Buffers(const OpCase& op) {
        for (const Values& values : op.inputs) {
            inputs.push_back(values.absent ? nullptr
                                           : std::make_unique<GuardedBuffer>(to_bytes(values.type, values.at)));
            ins.emplace_back(values.absent ? nullptr : inputs.back()->data(), values.type);
        }
        for (const Result& result : op.results) {
            const Bytes initial = result.initial.empty() ? Bytes(result.count * size_of(result.type), std::byte{0xff})
                                                         : to_bytes(result.type, result.initial);
            results.push_back(result.absent ? nullptr : std::make_unique<GuardedBuffer>(initial));
            outs.emplace_back(result.absent ? nullptr : results.back()->data(), result.type);
        }
    }
};

void run(const OpCase& op, Buffers& buffers) {
    CudaStream stream;
    op.run(stream, buffers.ins, buffers.outs);
    cuda_ok(cudaDeviceSynchronize());
}

std::vector<Doubles> expected_of(const OpCase& op) {
    std::vector<Doubles> inputs;
    for (const Values& values : op.inputs) inputs.push_back(values.at);
    std::vector<Doubles> expected = op.reference(inputs);
    if (expected.size() != op.results.size())
        throw Error(op.name, "expected {} results of the reference, got {}", op.results.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        for (std::size_t k = 0; k < op.results[i].initial.size(); ++k) expected[i][k] += op.results[i].initial[k];
    return expected;
}

std::string compare(const Result& result, const Doubles& got, const Doubles& expected) {
    const std::vector<float> narrow(got.begin(), got.end());
    return difference(narrow, expected, result.rel, result.abs);
}

}  // namespace

Values as_type(DType type, Doubles values) { return {type, from_bytes(type, to_bytes(type, values))}; }

Values uniform(DType type, std::size_t count, std::uint64_t seed, float low, float high) {
    return as_type(type, to_double(random_values(count, seed, low, high)));
}

Values integers(DType type, std::size_t count, std::uint64_t seed, int low, int high) {
    return as_type(type, to_double(integer_values(count, seed, low, high)));
}

std::vector<std::string> failures(const OpCase& op) {
    Buffers first(op), second(op);
    run(op, first);
    run(op, second);
    const std::vector<Doubles> expected = expected_of(op);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < first.inputs.size(); ++i)
        if (first.inputs[i] && !first.inputs[i]->unchanged())
            texts.push_back(fmt::format("input {} or its guards changed", i));
    for (std::size_t i = 0; i < first.results.size(); ++i) {
        if (!first.results[i]) continue;
        if (!first.results[i]->guards_intact()) texts.push_back(fmt::format("a write outside result {}", i));
        const Bytes bytes = first.results[i]->content();
        if (bytes != second.results[i]->content())
            texts.push_back(fmt::format("two runs gave different bits in result {}", i));
        const std::string text = compare(op.results[i], from_bytes(op.results[i].type, bytes), expected[i]);
        if (!text.empty()) texts.push_back(fmt::format("result {}: {}", i, text));
    }
    return texts;
}

void check(const OpCase& op) {
    CAPTURE(op.name);
    for (const std::string& text : failures(op)) FAIL_CHECK(text);
    CHECK(true);  // counts the check
}

void run_only(const OpCase& op) {
    Buffers buffers(op);
    run(op, buffers);
}

std::vector<NetworkCase>& network_cases() {
    static std::vector<NetworkCase> cases;
    return cases;
}

}  // namespace karyon::test
