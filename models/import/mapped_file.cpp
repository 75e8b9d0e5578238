#include "models/import/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "kernels/error.h"

namespace karyon {
namespace {

[[noreturn]] void fail_to(const std::string& file, const char* doing) {
    throw Error(file, "expected to {} it, found \"{}\"", doing, std::generic_category().message(errno));
}

}  // namespace

MappedFile MappedFile::open(const std::filesystem::path& path) {
    const std::string file = path.string();
    // Non-blocking, so that a pipe is refused below instead of being waited for.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) fail_to(file, "open");
    const std::unique_ptr<const int, void (*)(const int*)> closer(&descriptor, [](const int* d) { ::close(*d); });
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) fail_to(file, "inspect");
    if (!S_ISREG(status.st_mode)) throw Error(file, "expected a regular file, found a folder or a special file");
    MappedFile result;
    result.size_ = static_cast<std::size_t>(status.st_size);
    if (result.size_ == 0) throw Error(file, "expected a checkpoint, found an empty file");
    void* address = ::mmap(nullptr, result.size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (address == MAP_FAILED) fail_to(file, "map");
    const auto unmap = [size = result.size_](const std::byte* from) { ::munmap(const_cast<std::byte*>(from), size); };
    result.mapped_ = std::shared_ptr<const std::byte>(static_cast<const std::byte*>(address), unmap);
    return result;
}

void MappedFile::forget() const { ::madvise(const_cast<std::byte*>(mapped_.get()), size_, MADV_DONTNEED); }

}  // namespace karyon
