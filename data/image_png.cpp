#include <png.h>

#include <bit>
#include <csetjmp>

#include "data/image_io.h"
#include "data/image_raster.h"
#include "kernels/error.h"
#include "tensor/atomic_file.h"

namespace karyon {

namespace {

struct PngLog {
    char text[160] = "unknown error";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
    auto* log = static_cast<PngLog*>(png_get_error_ptr(png));
    std::snprintf(log->text, sizeof log->text, "%s", text);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// Runs body and says whether libpng came to its end. libpng leaves body by longjmp, so body must own nothing.
template <typename Body>
bool completes(png_structp png, Body body) {
    if (setjmp(png_jmpbuf(png))) return false;
    body();
    return true;
}

struct PngReader {
    PngLog log;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &log, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : nullptr;

    PngReader() = default;
    PngReader(const PngReader&) = delete;
    ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct PngWriter {
    PngLog log;
    std::vector<std::uint8_t> encoded;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &log, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : nullptr;

    PngWriter() = default;
    PngWriter(const PngWriter&) = delete;
    ~PngWriter() { png_destroy_write_struct(&png, &info); }
};

/// No exception may pass through libpng, and no longjmp out of a catch block.
void append(png_structp png, png_bytep bytes, std::size_t count) {
    bool appended = true;
    try {
        auto& encoded = static_cast<PngWriter*>(png_get_io_ptr(png))->encoded;
        encoded.insert(encoded.end(), bytes, bytes + count);
    } catch (const std::bad_alloc&) {
        appended = false;
    }
    if (!appended) png_error(png, "no memory left");
}

void set_transforms(png_structp png, png_infop info, int color_type, int bit_depth) {
    if (color_type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (png_get_valid(png, info, PNG_INFO_tRNS)) png_set_tRNS_to_alpha(png);
    if (bit_depth < 8) png_set_packing(png);
    if (bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

struct PngFormat {
    int width, height, bit_depth, color_type;
};

void encode_png(const std::filesystem::path& path, const PngFormat& format, const std::uint8_t* bytes,
                std::size_t row_bytes, std::size_t given_bytes) {
    if (format.width < 1 || format.height < 1 || given_bytes != row_bytes * format.height)
        throw Error(path.string(), "expected {} bytes for a picture of {} x {}, got {}", row_bytes * format.height,
                    format.width, format.height, given_bytes);
    PngWriter writer;
    const bool complete =
        writer.info && completes(writer.png, [&] {
            png_set_write_fn(writer.png, &writer, append, nullptr);
            png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
            png_set_IHDR(writer.png, writer.info, format.width, format.height, format.bit_depth, format.color_type,
                         PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
            png_write_info(writer.png, writer.info);
            if (format.bit_depth == 16 && std::endian::native == std::endian::little) png_set_swap(writer.png);
            for (int y = 0; y < format.height; ++y) png_write_row(writer.png, bytes + y * row_bytes);
            png_write_end(writer.png, writer.info);
        });
    if (!complete) throw Error(path.string(), "expected to encode a PNG, got: {}", writer.log.text);
    AtomicFile file(path);
    file.write(writer.encoded.data(), writer.encoded.size());
    file.commit();
}

}  // namespace

Raster decode_png(const InputFile& file) {
    PngReader reader;
    const auto check = [&](bool complete) {
        if (!complete) throw Error(file.name, "expected a complete PNG, got: {}", reader.log.text);
    };
    check(reader.info != nullptr);
    int color_type = 0, bit_depth = 0;
    png_uint_32 width = 0, height = 0;
    check(completes(reader.png, [&] {
        png_set_user_limits(reader.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
        png_init_io(reader.png, file.stream.get());
        png_read_info(reader.png, reader.info);
        png_get_IHDR(reader.png, reader.info, &width, &height, &bit_depth, &color_type, nullptr, nullptr, nullptr);
    }));
    // Deflate makes at most 1032 bytes of one.
    check_header(file, width, height, double(png_get_rowbytes(reader.png, reader.info)) * height, 1032);
    check(completes(reader.png, [&] { set_transforms(reader.png, reader.info, color_type, bit_depth); }));

    Raster raster{int(width), int(height), png_get_channels(reader.png, reader.info), 0, true, {}};
    // Gray of 1, 2 and 4 bits keeps its values, unless a transparent colour made libpng stretch it.
    const bool small = color_type == PNG_COLOR_TYPE_GRAY && bit_depth < 8 && raster.channels == 1;
    raster.max_value = (1u << (small ? bit_depth : bit_depth == 16 ? 16 : 8)) - 1;
    if (png_get_rowbytes(reader.png, reader.info) != raster.row_bytes())
        throw Error(file.name, "expected rows of {} bytes, got {}", raster.row_bytes(),
                    png_get_rowbytes(reader.png, reader.info));
    raster.allocate(file.name);
    std::vector<png_bytep> rows(height);
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = raster.bytes.data() + y * raster.row_bytes();
    check(completes(reader.png, [&] {
        png_read_image(reader.png, rows.data());
        png_read_end(reader.png, nullptr);
    }));
    return raster;
}

void write_png(const std::filesystem::path& path, const Image& image) {
    encode_png(path, {image.width, image.height, 8, PNG_COLOR_TYPE_RGB}, image.pixels.data(),
               std::size_t(image.width) * 3, image.pixels.size());
}

void write_png(const std::filesystem::path& path, int width, int height, std::span<const std::uint8_t> pixels) {
    encode_png(path, {width, height, 8, PNG_COLOR_TYPE_GRAY}, pixels.data(), std::size_t(width), pixels.size());
}

void write_png16(const std::filesystem::path& path, int width, int height, std::span<const std::uint16_t> pixels) {
    encode_png(path, {width, height, 16, PNG_COLOR_TYPE_GRAY}, reinterpret_cast<const std::uint8_t*>(pixels.data()),
               std::size_t(width) * 2, pixels.size_bytes());
}

}  // namespace karyon
