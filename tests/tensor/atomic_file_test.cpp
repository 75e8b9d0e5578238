#include "tensor/atomic_file.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>

#include "kernels/error.h"
#include "tensor/safetensors.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;

namespace {

/// Makes write() fail beyond `bytes` of a file, as a full disk does.
class FullDisk {
  public:
    explicit FullDisk(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FullDisk() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, handler_);
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

  private:
    rlimit before_{};
    void (*handler_)(int);
};

std::string slurp(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists();
    return count;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
    AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

std::string message_of_writing(const std::filesystem::path& path) {
    try {
        write_text(path, "text");
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("atomic file: nothing shows before commit, all of it after, and the folder holds nothing else") {
    const TemporaryFolder folder;
    const auto path = folder / "out";
    write_text(path, "first");
    {
        AtomicFile file(path);
        file.write("sec", 3);
        CHECK(slurp(path) == "first");
        CHECK(files_in(folder.path()) == 2);
        file.write("ond", 3);
        file.commit();
    }
    CHECK(slurp(path) == "second");
    CHECK(files_in(folder.path()) == 1);
    {
        AtomicFile abandoned(path);
        abandoned.write("third", 5);
    }
    CHECK(slurp(path) == "second");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("atomic file: the new file's mode follows the umask") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(0027);
    write_text(folder / "out", "text");
    ::umask(before);
    struct stat status {};
    REQUIRE(::stat((folder / "out").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
}

TEST_CASE("atomic file: places that cannot be written are named, with the reason") {
    const TemporaryFolder folder;
    write_text(folder / "file", "text");
    CHECK(message_of_writing(folder / "none" / "out").find("No such file or directory") != std::string::npos);
    CHECK(message_of_writing(folder / "file" / "out").find("Not a directory") != std::string::npos);
    CHECK(message_of_writing(folder.path()).find("got a folder") != std::string::npos);
    CHECK(message_of_writing("/dev/full").find("got a special file") != std::string::npos);
    CHECK_FALSE(message_of_writing("/proc/karyon-test").empty());
    CHECK(message_of_writing(folder / "none" / "out").find((folder / "none" / "out").string()) != std::string::npos);
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("safetensors: a full disk leaves the previous file and no temporary") {
    const TemporaryFolder folder;
    const auto path = folder / "model.safetensors";
    const std::vector<float> weights(8192, 1.5f);
    const auto item = [&](std::int64_t count) {
        return std::vector<SafetensorsItem>{{"w", DType::f32, {count}, weights.data()}};
    };
    write_safetensors(path, item(16));
    const std::string before = slurp(path);

    // One limit stops the data, the other the header.
    for (const rlim_t bytes : {rlim_t{16384}, rlim_t{20}}) {
        std::string message;
        {
            const FullDisk full(bytes);
            try {
                write_safetensors(path, item(8192));
            } catch (const Error& error) {
                message = error.what();
            }
        }
        CHECK(message.find("model.safetensors") != std::string::npos);
        CHECK(message.find("File too large") != std::string::npos);
        CHECK(slurp(path) == before);
        CHECK(files_in(folder.path()) == 1);
    }
    write_safetensors(path, item(8192));
    CHECK(SafetensorsFile::open(path).entry("w").shape == std::vector<std::int64_t>{8192});
}

TEST_CASE("safetensors: what cannot be written is refused before any file is made") {
    const TemporaryFolder folder;
    const float value = 1;
    const auto message = [&](std::vector<SafetensorsItem> items, const Metadata& metadata = {}) -> std::string {
        try {
            write_safetensors(folder / "out", items, metadata);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message({{"a", DType::f32, {1}, &value}, {"a", DType::f32, {1}, &value}}).find("\"a\" again") !=
          std::string::npos);
    CHECK_FALSE(message({{"__metadata__", DType::f32, {1}, &value}}).empty());
    CHECK_FALSE(message({{"a", DType::f32, {-1}, &value}}).empty());
    CHECK_FALSE(message({{"a", DType::f32, {1}, nullptr}}).empty());
    CHECK_FALSE(message({{"a", DType::f32, {std::int64_t{1} << 62}, &value}}).empty());
    CHECK(message({{"\xff", DType::f32, {1}, &value}}).find("UTF-8") != std::string::npos);
    CHECK(message({}, {{"k", "\xff"}}).find("UTF-8") != std::string::npos);
    CHECK(files_in(folder.path()) == 0);
}
