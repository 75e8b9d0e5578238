#include "tensor/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace karyon {
namespace {

constexpr std::array<SafetensorsType, 15> types{{{"F32", 4, DType::f32},
                                                 {"BF16", 2, DType::bf16},
                                                 {"U8", 1, DType::u8},
                                                 {"I32", 4, DType::i32},
                                                 {"F64", 8, {}},
                                                 {"F16", 2, {}},
                                                 {"F8_E4M3", 1, {}},
                                                 {"F8_E5M2", 1, {}},
                                                 {"I64", 8, {}},
                                                 {"U64", 8, {}},
                                                 {"U32", 4, {}},
                                                 {"I16", 2, {}},
                                                 {"U16", 2, {}},
                                                 {"I8", 1, {}},
                                                 {"BOOL", 1, {}}}};

/// For messages: a name from a hostile file may be megabytes long or hold control characters.
std::string shown(const std::string& text) {
    const auto cut = text.size() > 200 ? text.substr(0, 200) + "..." : text;
    return nlohmann::json(cut).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// Receives the parser's events. The grammar is flat enough for a depth and two keys to be the whole state:
/// {"__metadata__": {key: text}, name: {"dtype": text, "shape": [n...], "data_offsets": [begin, end]}}.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
  public:
    explicit HeaderEvents(const std::string& file) : file_(file) {}

    SafetensorsHeader header;

    bool key(string_t& text) override {
        auto& seen = depth_ == 1 ? names_ : fields_;
        if (!seen.insert(text).second) fail("expected each name once, got {} twice", shown(text));
        (depth_ == 1 ? name_ : field_) = text;
        return true;
    }

    bool start_object(std::size_t) override {
        if (depth_ >= 2 || in_array_) fail("expected a number or a text, got an object");
        if (++depth_ == 2) {
            fields_.clear();
            field_.clear();
            numbers_.clear();
            current_ = {name_, nullptr, {}, 0, 0};
        }
        return true;
    }

    bool end_object() override {
        if (depth_ == 2 && !in_metadata()) header.tensors.push_back(finished());
        --depth_;
        return true;
    }

    bool start_array(std::size_t) override {
        if (depth_ != 2 || in_array_ || in_metadata() || (field_ != "shape" && field_ != "data_offsets"))
            fail("expected an object or a text, got an array");
        in_array_ = true;
        numbers_.clear();
        return true;
    }

    bool end_array() override {
        in_array_ = false;
        if (field_ == "shape") {
            current_.shape = numbers_;
        } else if (numbers_.size() != 2) {
            fail("expected 2 offsets, got {}", numbers_.size());
        } else {
            current_.begin = static_cast<std::size_t>(numbers_[0]);
            current_.end = static_cast<std::size_t>(numbers_[1]);
        }
        return true;
    }

    bool number_unsigned(number_unsigned_t value) override {
        if (!in_array_) fail("expected a text or an array, got the number {}", value);
        if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max()))
            fail("expected at most 2^63 - 1, got {}", value);
        if (numbers_.size() == max_rank) fail("expected at most {} numbers, got more", max_rank);
        numbers_.push_back(static_cast<std::int64_t>(value));
        return true;
    }

    bool string(string_t& text) override {
        if (depth_ != 2 || in_array_) fail("expected an object or numbers, got the text {}", shown(text));
        if (in_metadata()) {
            header.metadata.emplace(field_, text);
        } else if (field_ == "dtype") {
            current_.type = find_safetensors_type(text);
            if (!current_.type) fail("expected a known element type, got {}", shown(text));
        } else {
            fail("expected numbers in shape and data_offsets and no field beside dtype, got the text {}", shown(text));
        }
        return true;
    }

    bool number_integer(number_integer_t value) override { fail("expected no negative number, got {}", value); }
    bool number_float(number_float_t, const string_t& text) override { fail("expected an integer, got {}", text); }
    bool boolean(bool value) override { fail("expected no truth value, got {}", value); }
    bool null() override { fail("expected a value, got null"); }
    bool binary(binary_t&) override { fail("expected JSON, got binary data"); }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        throw Error(file_, "expected a JSON header, got a fault at byte {} of it: {:.200}", position, error.what());
    }

  private:
    static constexpr std::size_t max_rank = 32;

    bool in_metadata() const { return name_ == "__metadata__"; }

    template <typename... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
        std::string where = depth_ >= 1 && !name_.empty() ? "tensor " + shown(name_) : "header";
        if (depth_ >= 2 && !field_.empty()) where += ", field " + shown(field_);
        throw Error(file_, "{}: {}", where, fmt::format(text, std::forward<Args>(args)...));
    }

    SafetensorsDeclaration finished() {
        field_.clear();  // the faults below are the whole tensor's
        for (const char* field : {"dtype", "shape", "data_offsets"})
            if (!fields_.count(field)) fail("expected a field {}, got none", field);
        if (fields_.size() != 3) fail("expected 3 fields, got {}", fields_.size());
        const auto bytes = byte_count(current_.shape, current_.type->size);
        if (!bytes) fail("expected a shape of less than 2^63 bytes, got [{}]", fmt::join(current_.shape, ", "));
        if (current_.end < current_.begin || current_.end - current_.begin != *bytes)
            fail("expected {} bytes for {} [{}], got the offsets {} to {}", *bytes, current_.type->name,
                 fmt::join(current_.shape, ", "), current_.begin, current_.end);
        return std::move(current_);
    }

    const std::string& file_;
    int depth_ = 0;
    bool in_array_ = false;
    std::string name_, field_;
    std::set<std::string> names_, fields_;
    std::vector<std::int64_t> numbers_;
    SafetensorsDeclaration current_;
};

void check_tiling(const std::string& file, std::vector<SafetensorsDeclaration>& tensors, std::size_t data_size) {
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    std::size_t at = 0;
    for (const auto& tensor : tensors) {
        if (tensor.begin != at || tensor.end > data_size)
            throw Error(file, "tensor {}: expected data from byte {} within {} bytes, got {} to {}", shown(tensor.name),
                        at, data_size, tensor.begin, tensor.end);
        at = tensor.end;
    }
    if (at != data_size) throw Error(file, "expected {} bytes of data as the header says, got {}", at, data_size);
}

}  // namespace

const SafetensorsType* find_safetensors_type(std::string_view name) {
    const auto found = std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.name == name; });
    return found == types.end() ? nullptr : &*found;
}

const SafetensorsType& safetensors_type(DType dtype) {
    return *std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.dtype == dtype; });
}

std::optional<std::size_t> byte_count(const std::vector<std::int64_t>& shape, std::size_t element_size) {
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    std::size_t bytes = element_size;
    for (const std::int64_t size : shape) {
        if (size < 0) return {};
        if (size > 0 && bytes > most / static_cast<std::size_t>(size)) return {};
        bytes *= static_cast<std::size_t>(size);
    }
    return bytes;
}

SafetensorsHeader parse_safetensors_header(const std::string& file, std::string_view json, std::size_t data_size) {
    if (json.empty() || json.front() != '{') throw Error(file, "expected a JSON object as the header, got other text");
    HeaderEvents events(file);
    nlohmann::json::sax_parse(json.begin(), json.end(), &events);
    check_tiling(file, events.header.tensors, data_size);
    return std::move(events.header);
}

}  // namespace karyon
