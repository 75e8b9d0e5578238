#include "tensor/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <numeric>

#include "tests/tensor/temporary_folder.h"

using namespace karyon;

namespace {

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void spit(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

/// A container of any header, right or wrong.
std::string container(const std::string& json, const std::string& data) {
    const std::uint64_t length = json.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + json + data;
}

std::string message_of(const std::filesystem::path& path) {
    try {
        SafetensorsFile::open(path);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

/// The message for a file of these bytes; empty when it opens.
std::string message_for(const TemporaryFolder& folder, const std::string& bytes) {
    spit(folder / "hostile.safetensors", bytes);
    return message_of(folder / "hostile.safetensors");
}

std::string tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace

TEST_CASE("safetensors: what was written is read back, of every type and rank") {
    const TemporaryFolder folder;
    const auto path = folder / "all.safetensors";
    std::vector<float> floats(2 * 3 * 5);
    std::iota(floats.begin(), floats.end(), -7.25f);
    const std::vector<bfloat16> halves{bfloat16(1.5f), bfloat16(-2.0f), bfloat16(1e30f)};
    const std::vector<std::uint8_t> bytes{0, 1, 255, 7, 9};
    const std::vector<std::int32_t> ints{-1, 1 << 30};
    const float scalar = 42;
    const std::vector<SafetensorsItem> items{{"z.weight", DType::f32, {2, 3, 5}, floats.data()},
                                             {"u8", DType::u8, {5}, bytes.data()},
                                             {"empty", DType::f32, {0, 4}, nullptr},
                                             {"bf", DType::bf16, {3, 1}, halves.data()},
                                             {"\"quoted\" \xc3\xa9\n", DType::i32, {2}, ints.data()},
                                             {"scalar", DType::f32, {}, &scalar}};
    write_safetensors(path, items, {{"stain", "HE"}, {"config", "{\"a\": 1}"}});

    const auto file = SafetensorsFile::open(path);
    REQUIRE(file.entries().size() == items.size());
    CHECK(file.metadata() == Metadata{{"stain", "HE"}, {"config", "{\"a\": 1}"}});
    CHECK(file.skipped().empty());
    for (const auto& item : items) {
        CAPTURE(item.name);
        const auto& entry = file.entry(item.name);
        CHECK(entry.dtype == item.dtype);
        CHECK(entry.shape == item.shape);
        const auto got = file.bytes(item.name);
        const auto count = std::accumulate(item.shape.begin(), item.shape.end(), std::int64_t{1}, std::multiplies<>());
        REQUIRE(got.size() == static_cast<std::size_t>(count) * size_of(item.dtype));
        CHECK((got.empty() || std::memcmp(got.data(), item.data, got.size()) == 0));
    }
    CHECK(file.entries()[0].name == "z.weight");
    CHECK_FALSE(file.contains("Z.weight"));
    CHECK_THROWS_WITH_AS(file.bytes("nowhere"), doctest::Contains("nowhere"), Error);
}

TEST_CASE("safetensors: the bytes of a file are these") {
    const TemporaryFolder folder;
    const std::uint8_t data[] = {7, 9};
    const std::vector<SafetensorsItem> items{{"b", DType::u8, {2}, data}};
    write_safetensors(folder / "a", items, {{"k", "v"}});
    std::string json = R"({"__metadata__":{"k":"v"},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
    json.resize((json.size() + 7) / 8 * 8, ' ');
    CHECK(slurp(folder / "a") == container(json, "\x07\x09"));
    write_safetensors(folder / "b", items, {{"k", "v"}});
    CHECK(slurp(folder / "a") == slurp(folder / "b"));
    write_safetensors(folder / "none", {});
    CHECK(slurp(folder / "none") == container("{}      ", ""));
    CHECK(SafetensorsFile::open(folder / "none").entries().empty());
}

TEST_CASE("safetensors: the bytes outlive the file object and the file's name") {
    const TemporaryFolder folder;
    const float value = 3.5f;
    write_safetensors(folder / "a", std::vector<SafetensorsItem>{{"x", DType::f32, {1}, &value}});
    std::optional<SafetensorsFile> first = SafetensorsFile::open(folder / "a");
    const SafetensorsFile second = *first;
    first.reset();
    std::filesystem::remove(folder / "a");
    float got = 0;
    std::memcpy(&got, second.bytes("x").data(), sizeof got);
    CHECK(got == value);
}

TEST_CASE("safetensors: foreign files with unaligned data, other types and any order of fields") {
    const TemporaryFolder folder;
    const std::string json =
        R"({"steps":{"data_offsets":[4,12],"shape":[],"dtype":"I64"},"w":{"shape":[1],"dtype":"F32","data_offsets":[0,4]}}  )";
    REQUIRE(json.size() % 4 != 0);
    const float value = -0.5f;
    spit(folder / "f", container(json, std::string(reinterpret_cast<const char*>(&value), 4) + std::string(8, 'x')));
    const auto file = SafetensorsFile::open(folder / "f");
    REQUIRE(file.entries().size() == 1);
    CHECK(std::memcmp(file.bytes("w").data(), &value, 4) == 0);
    CHECK(file.skipped() == std::map<std::string, std::string>{{"steps", "I64"}});
    CHECK_THROWS_WITH_AS(file.bytes("steps"), doctest::Contains("got I64"), Error);
}

TEST_CASE("safetensors: hostile headers are refused, with the tensor and the field") {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& json, const std::string& data, const std::string& says) {
        const auto text = message_for(folder, container(json, data));
        CAPTURE(json);
        CHECK_MESSAGE(text.find(says) != std::string::npos, "expected \"", says, "\", got \"", text, "\"");
        CHECK(text.find("hostile.safetensors") != std::string::npos);
    };
    const std::string good = tensor("U8", "[4]", "[0,4]");
    REQUIRE(message_for(folder, container("{\"a\":" + good + "}", "1234")).empty());

    refused("", "", "JSON object");
    refused("not json", "", "JSON object");
    refused("[1]", "", "JSON object");
    refused("{\"a\":" + good, "1234", "fault at byte");
    refused("{\"a\":" + good + "} x", "1234", "fault at byte");
    refused("{\"\xff\":" + good + "}", "1234", "fault at byte");
    refused("{\"a\":" + good + ",\"a\":" + good + "}", "1234", "\"a\" twice");
    refused(R"({"a":{"dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "1234", "\"dtype\" twice");
    refused(R"({"__metadata__":{"k":"1","k":"2"}})", "", "\"k\" twice");
    refused(R"({"__metadata__":{"k":1}})", "", "__metadata__");
    refused(R"({"__metadata__":{"k":{}}})", "", "__metadata__");
    refused(R"({"a":5})", "", "got the number 5");
    refused(R"({"a":"text"})", "", "got the text");
    refused(R"({"a":null})", "", "got null");
    refused(R"({"a":{}})", "", "field dtype, got none");
    refused(R"({"a":{"dtype":"U8","shape":[4]}})", "1234", "field data_offsets, got none");
    refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":"x"}})", "1234", "\"more\"");
    refused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":[]}})", "1234", "\"more\"");
    refused(R"({"a":{"dtype":5,"shape":[4],"data_offsets":[0,4]}})", "1234", "\"dtype\"");
    refused("{\"a\":" + tensor("Q7", "[4]", "[0,4]") + "}", "1234", "\"Q7\"");
    refused("{\"a\":" + tensor("U8", "[[4]]", "[0,4]") + "}", "1234", "\"shape\"");
    refused("{\"a\":" + tensor("U8", "[-4]", "[0,4]") + "}", "1234", "got -4");
    refused("{\"a\":" + tensor("U8", "[4.0]", "[0,4]") + "}", "1234", "integer, got 4.0");
    refused("{\"a\":" + tensor("U8", "[18446744073709551615]", "[0,4]") + "}", "1234", "2^63");
    refused("{\"a\":" + tensor("U8", "[99999999999999999999999]", "[0,4]") + "}", "1234", "integer");
    refused("{\"a\":" + tensor("F32", "[4294967296,4294967296]", "[0,0]") + "}", "", "less than 2^63");
    refused("{\"a\":" + tensor("F32", "[4611686018427387904]", "[0,0]") + "}", "", "less than 2^63");
    refused("{\"a\":" + tensor("F32", "[1]", "[0,3]") + "}", "123", "expected 4 bytes for F32 [1]");
    refused("{\"a\":" + tensor("U8", "[4]", "[4,0]") + "}", "1234", "expected 4 bytes");
    refused("{\"a\":" + tensor("U8", "[4]", "[0,4,8]") + "}", "1234", "2 offsets, got 3");
    refused("{\"a\":" + tensor("U8", "[5]", "[0,5]") + "}", "1234", "within 4 bytes");
    refused("{\"a\":" + tensor("U8", "[3]", "[1,4]") + "}", "1234", "from byte 0");
    refused("{\"a\":" + tensor("U8", "[3]", "[0,3]") + "}", "1234", "expected 3 bytes of data");
    refused("{\"a\":" + tensor("U8", "[3]", "[0,3]") + ",\"b\":" + tensor("U8", "[2]", "[2,4]") + "}", "1234",
            "tensor \"b\": expected data from byte 3");
    refused("{\"a\":" + tensor("U8", "[1]", "[0,1]") + ",\"b\":" + tensor("U8", "[1]", "[2,3]") + "}", "123",
            "tensor \"b\": expected data from byte 1");
    refused("{\"a\":" + std::string(1'000'000, '['), "", "got an array");
}

TEST_CASE("safetensors: headers that do not fit the file, and what is no file") {
    const TemporaryFolder folder;
    CHECK(message_for(folder, "").find("at least 8 bytes, got 0") != std::string::npos);
    CHECK(message_for(folder, "1234567").find("got 7") != std::string::npos);
    for (const std::uint64_t length :
         {std::uint64_t{3}, std::uint64_t{100'000'001}, ~std::uint64_t{0}, ~std::uint64_t{7}}) {
        std::string bytes(8, '\0');
        std::memcpy(bytes.data(), &length, 8);
        CHECK(message_for(folder, bytes + "{}").find("got a length of") != std::string::npos);
    }
    CHECK(message_of(folder / "absent").find("No such file") != std::string::npos);
    CHECK(message_of(folder.path()).find("regular file") != std::string::npos);
    CHECK(message_of("/dev/zero").find("regular file") != std::string::npos);
}

TEST_CASE("safetensors: a damaged file opens or throws, whatever byte was hit") {
    const TemporaryFolder folder;
    const std::vector<float> values{1, 2, 3};
    write_safetensors(
        folder / "good",
        std::vector<SafetensorsItem>{{"a", DType::f32, {3}, values.data()}, {"b", DType::f32, {1, 2}, values.data()}},
        {{"key", "value"}});
    const std::string good = slurp(folder / "good");
    for (std::size_t size = 0; size < good.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(message_for(folder, good.substr(0, size)).empty());
    }
    CHECK_FALSE(message_for(folder, good + "x").empty());
    std::size_t opened = 0;
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const int mask : {0x01, 0x10, 0x80, 0xff}) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ mask);
            opened += message_for(folder, bad).empty();
        }
    // The 20 bytes of data may hold anything, and so may letters of names; a header's structure may not.
    CHECK(opened >= 20 * 4);
    CHECK(opened < good.size() * 2);
}
