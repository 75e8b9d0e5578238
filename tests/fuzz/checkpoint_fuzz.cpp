#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "models/import/checkpoint.h"

/// Any bytes are a checkpoint or an Error: no crash, no undefined behaviour, no more memory than the file's size
/// allows. The first bytes choose the reader, so a corpus of one container stays with its reader.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace karyon;
    const int file = ::memfd_create("checkpoint", MFD_CLOEXEC);
    if (file < 0 || ::write(file, data, size) != ssize_t(size)) std::abort();
    try {
        const Checkpoint checkpoint = Checkpoint::open("/proc/self/fd/" + std::to_string(file));
        for (const CheckpointTensor& tensor : checkpoint.tensors()) {
            const auto elements = std::size_t(element_count(tensor.shape));
            // Deflate packs 1032 bytes into one at most, and a reader has checked that.
            if (elements > 1100 * size) std::abort();
            std::vector<float> values(elements);
            tensor.read(values);
        }
    } catch (const Error&) {
    }
    ::close(file);
    return 0;
}
