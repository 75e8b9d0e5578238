#include "models/import/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "kernels/error.h"

namespace karyon {
namespace {

class Inflater {
  public:
    explicit Inflater(const std::string& file) : file_(file) {
        if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw Error(file, "expected zlib to start, found no memory");
    }
    ~Inflater() { inflateEnd(&stream_); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    void fill(std::span<const std::byte>& packed, std::span<std::byte> out) {
        constexpr std::size_t most = std::numeric_limits<uInt>::max();
        while (!out.empty()) {
            stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
            stream_.avail_in = static_cast<uInt>(std::min(packed.size(), most));
            stream_.next_out = reinterpret_cast<Bytef*>(out.data());
            stream_.avail_out = static_cast<uInt>(std::min(out.size(), most));
            const uInt in = stream_.avail_in, wanted = stream_.avail_out;
            const int status = ::inflate(&stream_, Z_NO_FLUSH);
            packed = packed.subspan(in - stream_.avail_in);
            out = out.subspan(wanted - stream_.avail_out);
            if (out.empty()) return;
            if (status != Z_OK)
                throw Error(file_, "expected {} more bytes in a deflated entry, found {}", out.size(),
                            status == Z_STREAM_END || status == Z_BUF_ERROR ? "its end" : "damaged data");
        }
    }

  private:
    const std::string& file_;
    z_stream stream_{};
};

}  // namespace

void inflate_range(const std::string& file, std::span<const std::byte> packed, std::uint64_t first,
                   std::span<std::byte> out) {
    Inflater inflater(file);
    std::array<std::byte, 16384> dropped;
    while (first > 0) {
        const auto part = std::span(dropped).first(std::size_t(std::min<std::uint64_t>(first, dropped.size())));
        inflater.fill(packed, part);
        first -= part.size();
    }
    inflater.fill(packed, out);
}

}  // namespace karyon
