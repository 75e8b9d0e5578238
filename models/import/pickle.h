#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace karyon {

/// A value of a pickle. Containers name their items by number (Pickle::at), so that deep, shared and cyclic pickles
/// cost no recursion.
struct PickleValue {
    enum class Kind : std::uint8_t {
        none,
        boolean,
        integer,
        real,
        text,  ///< also byte strings
        tuple,
        list,
        dict,          ///< items: key, value, key, value...
        global,        ///< text: "module name"
        persistent,    ///< items: the one value that names it (a storage)
        tensor,        ///< items: the arguments of torch._utils._rebuild_tensor_v2
        uninteresting  ///< of a known type whose value does not matter here: a numpy scalar
    };
    Kind kind = Kind::none;
    std::int64_t integer = 0;
    std::string_view text;  ///< in the pickle's bytes; of an integer beyond 64 bits its bytes
    std::vector<std::uint32_t> items;
};

/// Reads a pickle as far as a state dict needs it: plain data and PyTorch's tensors. A pickle is a program; this runs
/// none of it. Every name that it asks for and that is not on the list in pickle_globals.cpp is refused.
class Pickle {
  public:
    /// The pickle at the start of `bytes`, which must outlive this. Throws Error naming `file` for anything that is
    /// damaged, refused, or of more than 2^20 values.
    Pickle(const std::string& file, std::span<const std::byte> bytes);

    const PickleValue& root() const { return values_[root_]; }
    const PickleValue& at(std::uint32_t value) const { return values_[value]; }
    /// The value of a text key; null where there is none. Of two equal keys the last one, as in Python.
    const PickleValue* find(const PickleValue& dict, std::string_view key) const;
    std::uint32_t count() const { return static_cast<std::uint32_t>(values_.size()); }
    std::size_t size() const { return size_; }  ///< bytes of `bytes` that it took

  private:
    friend class Unpickler;

    std::vector<PickleValue> values_;
    std::uint32_t root_ = 0;
    std::size_t size_ = 0;
};

/// What calling a global makes of its arguments.
enum class PickleCall : std::uint8_t {
    refused,  ///< a name that is known, but not to be called: a storage type
    ordered_dict,
    tensor,
    first_argument,  ///< a wrapper that does not change the value: a parameter, torch.Size
    uninteresting
};

/// Whether "module name" may stand in a checkpoint, and what calling it means. Throws Error naming file and global for
/// every other one: this is where a pickle that wants to run something ends.
PickleCall allowed_global(const std::string& file, std::string_view global);

}  // namespace karyon
