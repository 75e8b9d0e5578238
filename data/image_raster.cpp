#include "data/image_raster.h"

#include <cerrno>
#include <climits>
#include <new>
#include <string_view>

#include "kernels/error.h"

namespace karyon {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

namespace {

InputFile open_input(const fs::path& path) {
    InputFile file{path.string(), 0, nullptr};
    std::error_code failure;
    const fs::file_status status = fs::status(path, failure);
    if (!fs::exists(status)) throw Error(file.name, "expected an image file, got no such file");
    if (!fs::is_regular_file(status)) throw Error(file.name, "expected an image file, got a folder or device");
    file.size = fs::file_size(path, failure);
    if (!failure) file.stream.reset(std::fopen(path.c_str(), "rb"));
    if (!file.stream) throw Error(file.name, "expected a readable file, got: {}", std::strerror(errno));
    if (file.size == 0) throw Error(file.name, "expected a TIFF, PNG or JPEG image, got an empty file");
    return file;
}

std::string hex(std::string_view bytes) {
    std::string text;
    for (const unsigned char byte : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", byte);
    return text;
}

}  // namespace

void Raster::allocate(const std::string& where) try {
    bytes.resize(row_bytes() * height);
} catch (const std::bad_alloc&) {
    throw Error(where, "expected memory for a picture of {} x {}, got none left", width, height);
}

Raster read_raster(const fs::path& path) {
    const InputFile file = open_input(path);
    char buffer[8] = {};
    const std::string_view head(buffer, std::fread(buffer, 1, sizeof buffer, file.stream.get()));
    std::rewind(file.stream.get());
    if (head == "\x89PNG\r\n\x1a\n"sv) return decode_png(file);
    if (head.starts_with("\xff\xd8\xff"sv)) return decode_jpeg(file);
    for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
        if (head.starts_with(magic)) return decode_tiff(file);
    throw Error(file.name, "expected a TIFF, PNG or JPEG image, got {} bytes that begin with {}", file.size, hex(head));
}

void check_header(const InputFile& file, std::uint64_t width, std::uint64_t height, double sample_bytes,
                  double max_ratio) {
    constexpr std::uint64_t max_pixels = std::uint64_t(1) << 31;
    if (width == 0 || height == 0) throw Error(file.name, "expected at least 1 x 1 pixels, got {} x {}", width, height);
    if (width > INT_MAX || height > INT_MAX || width > max_pixels / height)
        throw Error(file.name, "expected at most {} pixels, got a header of {} x {}", max_pixels, width, height);
    if (sample_bytes > max_ratio * double(file.size))
        throw Error(file.name, "expected at least {:.0f} bytes for {} x {} pixels, got a file of {} bytes",
                    sample_bytes / max_ratio, width, height, file.size);
}

}  // namespace karyon
