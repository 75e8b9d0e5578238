#include "models/export/protobuf.h"

#include <cstring>

namespace karyon {
namespace {

// protobuf.dev/programming-guides/encoding: the lowest three bits of a field's tag.
constexpr std::uint64_t kVarint = 0, kLengthDelimited = 2, kFixed32 = 5;

std::uint64_t tag(int field, std::uint64_t wire) { return std::uint64_t(field) << 3 | wire; }

}  // namespace

void ProtoMessage::varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) encoded_ += char(value | 0x80);
    encoded_ += char(value);
}

void ProtoMessage::number(int field, std::int64_t value) {
    varint(tag(field, kVarint));
    varint(std::uint64_t(value));
}

void ProtoMessage::real(int field, float value) {
    varint(tag(field, kFixed32));
    char raw[sizeof(float)];
    std::memcpy(raw, &value, sizeof(float));
    encoded_.append(raw, sizeof(float));
}

void ProtoMessage::bytes(int field, std::string_view value) {
    varint(tag(field, kLengthDelimited));
    varint(value.size());
    encoded_ += value;
}

void ProtoMessage::message(int field, const ProtoMessage& value) { bytes(field, value.encoded_); }

}  // namespace karyon
