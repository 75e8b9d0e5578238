#include "data/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "kernels/error.h"

namespace karyon {

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)) {
    static std::atomic<unsigned> count{0};
    temporary_ = path_;
    temporary_ += fmt::format(".{}-{}.part", getpid(), count++);
    const int descriptor = open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (descriptor < 0) fail();
    stream_ = fdopen(descriptor, "wb");
    if (!stream_) {
        close(descriptor);
        std::remove(temporary_.c_str());
        fail();
    }
}

OutputFile::~OutputFile() {
    if (stream_) std::fclose(stream_);
    if (!committed_) std::remove(temporary_.c_str());
}

void OutputFile::commit() {
    // fclose writes what is still buffered: the disk may turn out to be full only there.
    const bool wrote = std::fflush(stream_) == 0 && !std::ferror(stream_);
    if (!wrote) fail();
    const bool closed = std::fclose(stream_) == 0;
    stream_ = nullptr;
    if (!closed || std::rename(temporary_.c_str(), path_.c_str()) != 0) fail();
    committed_ = true;
}

void OutputFile::fail() const {
    throw Error(path_.string(), "expected to write the file, got: {}", std::strerror(errno));
}

}  // namespace karyon
