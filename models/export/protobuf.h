#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace karyon {

/// The fields of one protocol buffer message, in the order in which they are added.
class ProtoMessage {
  public:
    void number(int field, std::int64_t value);          ///< int32, int64, enum, bool
    void real(int field, float value);                   ///< float
    void bytes(int field, std::string_view value);       ///< string, bytes
    void message(int field, const ProtoMessage& value);  ///< a message inside this one

    const std::string& encoded() const { return encoded_; }

  private:
    void varint(std::uint64_t value);

    std::string encoded_;
};

}  // namespace karyon
