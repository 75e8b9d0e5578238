#include "tensor/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "kernels/error.h"

namespace karyon {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
    // rename() would replace a device such as /dev/null by our file.
    std::error_code ignored;
    const auto status = std::filesystem::status(path_, ignored);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw Error(path_.string(), "expected a regular file or a free name to write to, got {}",
                    std::filesystem::is_directory(status) ? "a folder" : "a special file");
    open_temporary();
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* doing) const {
    throw Error(path_.string(), "expected to {}, got \"{}\"", doing, reason(errno));
}

void AtomicFile::open_temporary() {
    // Not mkstemp: its mode 0600 would outlive the rename, where a new file follows the umask.
    static std::atomic<unsigned> serial{0};
    for (int attempt = 0; attempt < 1000; ++attempt) {
        auto name = path_;
        name += fmt::format(".tmp-{:x}-{:x}", ::getpid(), serial++);
        descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor_ >= 0) {
            temporary_ = std::move(name);
            return;
        }
        if (errno != EEXIST) break;
    }
    fail("create a file in this folder");
}

void AtomicFile::write(const void* data, std::size_t size) {
    constexpr std::size_t most = std::size_t{1} << 30;  // Linux writes less than 2 GiB at once
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(descriptor_, from, std::min(size, most));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("write");
        from += written;
        size -= static_cast<std::size_t>(written);
    }
}

void AtomicFile::commit() {
    if (::fsync(descriptor_) != 0) fail("sync");
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail("close");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename the finished file");
    temporary_.clear();
    sync_folder();
}

void AtomicFile::sync_folder() const {
    const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;  // a folder may be writable and not readable: the rename stands, only unsynced
    const int synced = ::fsync(folder);
    const int error = errno;
    ::close(folder);
    errno = error;
    if (synced != 0 && error != EINVAL && error != ENOTSUP) fail("sync the folder");
}

}  // namespace karyon
