#include "tests/models/hostile.h"

using namespace karyon;
using namespace karyon::test;
using namespace std::string_literals;

namespace {

const std::string kFolder = KARYON_SOURCE_DIR "/tests/reference/data/containers/";

/// torch.save's old stream around the pickle of an object.
std::string stream(const std::string& object, const std::string& keys = "\x80\x02]q\x00."s) {
    const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s,
                      version = "\x80\x02M\xe9\x03."s;
    const std::string system = "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."s;
    return magic + version + system + "\x80\x02" + object + "." + keys;
}

/// {"w": tensor} with one storage "0" of 4 floats; shape and strides are opcodes.
std::string one_tensor(const std::string& elements, const std::string& offset, const std::string& shape,
                       const std::string& strides) {
    const std::string storage =
        "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x00"
        "0X\x03\x00\x00\x00"s
        "cpu"s +
        elements + "tQ";
    const std::string object =
        "}X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n("s + storage + offset + shape + strides + "\x89}tRs";
    return stream(object,
                  "\x80\x02]X\x01\x00\x00\x00"s
                  "0a."s) +
           raw(std::int64_t(4)) + std::string(16, '\0');
}

}  // namespace

TEST_CASE("hostile pickles: what would run something is refused by name") {
    check_refused(stream("cos\nsystem\n(X\x04\x00\x00\x00true\x85R"s), "\"os.system\"");
    check_refused(stream("cposix\nsystem\nX\x04\x00\x00\x00true\x85R"s), "\"posix.system\"");
    check_refused(stream("\x8c\x08"
                         "builtins\x8c\x04"
                         "eval\x93\x8c\x01"
                         "1\x85R"s),
                  "\"builtins.eval\"");
    check_refused(stream("ctorch\nload\nX\x01\x00\x00\x00x\x85R"s), "\"torch.load\"");
    check_refused(stream("ctorch\nFloatStorage\n)R"s), "found one of \"FloatStorage\"");
    check_refused(stream("(cos\nsystem\ni"s), "\"os.system\"");
    check_refused(stream("(ios\nsystem\n"s), "opcode");
}

TEST_CASE("hostile pickles: deep, cyclic, endless and broken ones end in an error") {
    check_refused(stream(std::string(300'000, ']') + std::string(299'999, 'a')), "expected a dict of tensors");
    check_refused(stream("]q\x00h\x00"s
                         "a"s),
                  "expected a dict of tensors");
    check_refused(stream("}q\x00X\x0a\x00\x00\x00state_dicth\x00s"s), "expected a dict of tensors");
    check_refused(stream(std::string(1'100'000, '(')), "open marks");
    check_refused(stream(std::string(1'100'000, 'N')), "expected at most 1048576 values");
    check_refused(stream("N"s + std::string(1'100'000, '2')), "expected a stack of at most");
    check_refused(stream("a"s), "expected a value on the stack");
    check_refused(stream("N0"s), "expected a value on the stack");
    check_refused(stream("t"s), "expected a mark");
    check_refused(stream("h\x07"s), "expected a value in the memo at 7");
    check_refused(stream("X\xff\xff\xff\xff"s), "expected 4294967295 more bytes");
    check_refused(stream("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"s), "more bytes");
    // A million items appended by every one of a few bytes.
    std::string growing = "("s + std::string(200'000, 'N') + "tq\x00"s;
    for (int i = 0; i < 100; ++i) growing += "ccollections\nOrderedDict\nh\x00\x85R"s;
    CHECK_FALSE(failure_of(stream(growing)).empty());
}

TEST_CASE("hostile state dicts: sizes are checked against the storage before anything is read") {
    CHECK(failure_of(one_tensor("K\x04", "K\x00"s, "K\x02K\x02\x86", "K\x02K\x01\x86")) == "");
    check_refused(one_tensor("K\x05", "K\x00"s, "K\x05\x85", "K\x01\x85"), "expected 5 elements, found 4");
    check_refused(one_tensor("K\x04", "K\x01", "K\x04\x85", "K\x01\x85"), "found it outside");
    check_refused(one_tensor("K\x04", "K\x00"s, "J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86", "K\x00K\x00\x86"s),
                  "outside");
    check_refused(one_tensor("K\x04", "K\x00"s, "K\x02\x85", "J\xff\xff\xff\x7f\x85"), "outside");
    check_refused(one_tensor("K\x04", "J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85"), "expected an offset");
    check_refused(one_tensor("K\x04", "K\x00"s, "J\xff\xff\xff\xff\x85", "K\x01\x85"), "at least 0");
    check_refused(one_tensor("K\x04", "K\x00"s, "K\x01\x85", ")"), "a stride for each");
    check_refused(one_tensor("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\x00"s, "K\x01\x85", "K\x01\x85"),
                  "storage");
    check_refused(one_tensor("J\xff\xff\xff\xff", "K\x00"s, "K\x01\x85", "K\x01\x85"), "storage of a known type");
}

TEST_CASE("hostile zip archives: offsets, sizes, methods and bombs are refused") {
    const std::string zip = bytes_of(kFolder + "zip.pth"), packed = bytes_of(kFolder + "deflated.pth");
    CHECK(failure_of(zip) == "");
    CHECK(failure_of(packed) == "");
    const auto central = zip.find("PK\x01\x02");
    REQUIRE(central != std::string::npos);
    const auto with = [&](std::size_t at, const std::string& value) {
        std::string changed = zip;
        return changed.replace(central + at, value.size(), value);
    };
    check_refused(with(42, raw(std::uint32_t(0x7fffffff))), "expected its header within the file");
    check_refused(with(20, raw(std::uint32_t(0x7fffffff))), "expected its data within the file");
    check_refused(with(24, raw(std::uint32_t(0x7fffffff))), "expected a stored entry");
    check_refused(with(10, raw(std::uint16_t(12))), "found method 12");
    check_refused(with(8, raw(std::uint16_t(1))), "found encryption");
    check_refused(with(28, raw(std::uint16_t(0xffff))), "found a longer one");

    const auto bomb_at = packed.find("PK\x01\x02");
    std::string bomb = packed;
    bomb.replace(bomb_at + 24, 4, raw(std::uint32_t(0x7ffffff0)));
    check_refused(bomb, "expected at most 1032 bytes for each packed one");
    check_refused("PK\x03\x04"s + std::string(100, 'x'), "expected the directory of a zip archive");
    check_refused(replaced(replaced(zip, "data.pkl", "data.pkx"), "data.pkl", "data.pkx"), "another zip archive");
    std::string big = zip;
    for (int i = 0; i < 1; ++i) big = replaced(big, "little", "bigbig");
    check_refused(big, "byteorder: expected \"little\", found \"bigbig\"");
}

TEST_CASE("hostile files: every truncation and every changed byte gives an error or the tensors, never a crash") {
    for (const std::string name : {"zip.pth", "deflated.pth", "stream.pth", "keras.safetensors"}) {
        CAPTURE(name);
        const std::string whole = bytes_of(kFolder + name);
        REQUIRE_FALSE(whole.empty());
        for (std::size_t size = 0; size < whole.size(); size += 11)
            CHECK_FALSE(failure_of(whole.substr(0, size)).empty());
        for (std::size_t at = 0; at < whole.size(); at += 5)
            for (const char flip : {'\x01', '\x80'}) {
                std::string changed = whole;
                changed[at] = char(changed[at] ^ flip);
                failure_of(changed);
            }
    }
}

TEST_CASE("hostile HDF5: truncated files and damaged headers are refused" * doctest::skip(!KARYON_HAS_HDF5)) {
    const std::string whole = bytes_of(kFolder + "weights.h5");
    CHECK(failure_of(whole) == "");
    for (std::size_t size = 8; size < whole.size(); size += 997) CHECK_FALSE(failure_of(whole.substr(0, size)).empty());
    check_refused(whole.substr(0, 8), "expected an HDF5 file");
}

TEST_CASE("other files are told from checkpoints") {
    check_refused("\x89PNG\r\n\x1a\n0000"s, "found other first bytes: \"\\x89PNG\\x0d\\x0a\\x1a\\x0a\"");
    check_refused("", "found an empty file");
    CHECK_THROWS_WITH_AS(Checkpoint::open("/"), doctest::Contains("a folder or a special file"), Error);
    CHECK_THROWS_WITH_AS(Checkpoint::open("/nowhere/at/all"), doctest::Contains("expected to open it"), Error);
}
