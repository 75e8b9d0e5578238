#include <sys/resource.h>

#include <csignal>

#include "data/image_io.h"
#include "tests/data/support.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// As on a full disk: no file of this process may grow beyond `bytes`.
struct FileSizeLimit {
    rlimit before{};
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        const rlimit limit{bytes, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before);
        std::signal(SIGXFSZ, SIG_DFL);
    }
};

}  // namespace

TEST_CASE("write: unwritable places are errors") {
    const TemporaryFolder folder;
    const Image image = noise_image(4, 4);
    check_error([&] { write_png(folder / "missing/a.png", image); }, {"missing/a.png", "expected", "No such file"});
    write_bytes(folder / "file", "x");
    check_error([&] { write_png(folder / "file/a.png", image); }, {"file/a.png", "Not a directory"});
    fs::create_directories(folder / "folder/inside");
    check_error([&] { write_png(folder / "folder", image); }, {"folder", "expected", "got a folder"});
    CHECK(file_count(folder) == 2);
}

TEST_CASE("write: a full disk leaves what was there before and nothing beside it") {
    const TemporaryFolder folder;
    write_bytes(folder / "large.png", "before");
    write_bytes(folder / "small.png", "before");
    {
        const FileSizeLimit limit(100);
        check_error([&] { write_png(folder / "large.png", noise_image(200, 200)); }, {"large.png", "File too large"});
        check_error([&] { write_png(folder / "small.png", noise_image(8, 8)); }, {"small.png", "File too large"});
    }
    CHECK(read_bytes(folder / "large.png") == "before");
    CHECK(read_bytes(folder / "small.png") == "before");
    CHECK(file_count(folder) == 2);
}
