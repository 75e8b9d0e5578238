#pragma once

#include <cstring>
#include <type_traits>
#include <unordered_map>

#include "kernels/error.h"
#include "models/import/pickle.h"

namespace karyon {

/// The stack machine of Python's pickle (pickletools.py describes every opcode) for one pickle.
class Unpickler {
  public:
    Unpickler(const std::string& file, std::span<const std::byte> bytes, Pickle& out)
        : file_(file), bytes_(bytes), values_(out.values_) {}

    void run(Pickle& out);

  private:
    using Kind = PickleValue::Kind;

    bool plain(unsigned char opcode);      ///< pushes a number or a text
    bool container(unsigned char opcode);  ///< builds tuples, lists and dicts
    bool memo(unsigned char opcode);
    bool object(unsigned char opcode);  ///< globals, calls, persistent ids

    // Reading.
    std::string_view take(std::uint64_t count);
    std::string_view line();
    template <typename T>
    T number() {
        T value;
        std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
        return value;
    }

    // The stack.
    void push(std::uint32_t value);
    void mark();
    void count_items(std::size_t);
    std::uint32_t add(PickleValue value);
    void push_integer(std::int64_t, Kind = Kind::integer);
    void push_text(std::string_view, Kind = Kind::text);
    void push_long(std::string_view little_endian);
    std::uint32_t pop();
    std::uint32_t top() const;
    std::vector<std::uint32_t> pop_to_mark();
    void push_tuple(std::size_t count);
    void append(std::uint32_t container, Kind, const std::vector<std::uint32_t>& items);
    void remember(std::uint64_t key);
    void recall(std::uint64_t key);
    void global(std::string_view module, std::string_view name);
    void call(std::uint32_t callable, std::uint32_t arguments);

    template <typename... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
        throw Error(file_, "pickle, byte {}: {}", at_, fmt::format(text, std::forward<Args>(args)...));
    }

    const std::string& file_;
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    std::vector<PickleValue>& values_;
    std::vector<std::uint32_t> stack_;
    std::vector<std::size_t> marks_;
    std::unordered_map<std::uint64_t, std::uint32_t> memo_;
    std::size_t items_ = 0;
};

}  // namespace karyon
