#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <string_view>

#include "data/image_raster.h"
#include "kernels/error.h"

namespace karyon {

namespace {

/// What libtiff has to say about one file, kept from standard error.
struct TiffLog {
    std::string error, damage;  ///< the first of each: later ones follow from it
};

std::string format_message(const char* format, std::va_list arguments) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    return text;
}

int on_error(TIFF*, void* log, const char*, const char* format, std::va_list arguments) {
    std::string& text = static_cast<TiffLog*>(log)->error;
    if (text.empty()) text = format_message(format, arguments);
    return 1;
}

/// libtiff fills what is missing of truncated JPEG and fax data and only warns of it; other warnings are about tags.
int on_warning(TIFF*, void* log, const char* module, const char* format, std::va_list arguments) {
    const std::string_view origin(module ? module : "");
    std::string& text = static_cast<TiffLog*>(log)->damage;
    if (text.empty() && (origin.starts_with("JPEG") || origin.starts_with("Fax")))
        text = format_message(format, arguments);
    return 1;
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

Tiff open_tiff(const InputFile& file, TiffLog& log) {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   TIFFOpenOptionsFree);
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &log);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &log);
    // Memory-mapped, which is the default: without it libtiff 4.5 refuses uncompressed tiles that are not of 1024 n
    // bytes.
    Tiff tiff(TIFFOpenExt(file.name.c_str(), "r", options.get()), TIFFClose);
    if (!tiff) throw Error(file.name, "expected a TIFF, got: {}", log.error);
    return tiff;
}

/// Moves to the first page that is not a reduced copy of another, or stays at the first where all are.
void select_page(TIFF* tiff) {
    const auto reduced = [&] {
        std::uint32_t type = 0;
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &type);
        return (type & FILETYPE_REDUCEDIMAGE) != 0;
    };
    while (reduced())
        if (!TIFFReadDirectory(tiff)) return (void)TIFFSetDirectory(tiff, 0);
}

struct TiffHeader {
    std::uint32_t width = 0, height = 0;
    std::uint16_t bits = 0, channels = 0, photometric = 0, compression = 0, sample_format = 0;

    explicit TiffHeader(TIFF* tiff) {
        TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &channels);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &sample_format);
        if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric))
            photometric = channels >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    }
    bool is_gray() const {
        return channels == 1 && (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE);
    }
    bool is_lossy() const { return compression == COMPRESSION_JPEG || compression == COMPRESSION_OJPEG; }

    /// The most bytes that one compressed byte can stand for; generous where the format sets no limit.
    double max_ratio() const {
        switch (compression) {
            case COMPRESSION_NONE:
                return 1;
            case COMPRESSION_PACKBITS:
                return 64;
            case COMPRESSION_LZW:
                return 4096;
            case COMPRESSION_DEFLATE:
            case COMPRESSION_ADOBE_DEFLATE:
                return 1032;
            case COMPRESSION_JPEG:
                return 4096. * channels;
            default:
                return 1 << 17;
        }
    }
};

void check_header(const InputFile& file, TIFF* tiff, const TiffHeader& header) {
    const bool integers = header.sample_format == SAMPLEFORMAT_UINT || header.sample_format == SAMPLEFORMAT_VOID ||
                          (header.sample_format == SAMPLEFORMAT_INT && header.bits == 32);
    if (!integers || (header.is_gray() ? header.bits > 32 : header.bits > 16))
        throw Error(file.name, "expected unsigned samples of 1 to 16 bits, got {} bits, sample format {}", header.bits,
                    header.sample_format);
    // Subsampled chroma may take half of the bytes away.
    const double subsampled = header.photometric == PHOTOMETRIC_YCBCR ? 3 : 1;
    const double bits = double(header.bits) * header.channels / subsampled;
    check_header(file, header.width, header.height, double(header.width) * header.height * bits / 8,
                 header.max_ratio());
    const std::uint64_t block = TIFFIsTiled(tiff) ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
    if (block == 0 || double(block) > header.max_ratio() * double(file.size))
        throw Error(file.name, "expected strips or tiles that fit a file of {} bytes, got {} bytes in each", file.size,
                    block);
}

/// One row of packed samples of 1, 2 or 4 bits to bytes, the first in the high bits.
void unpack(const std::uint8_t* packed, std::uint8_t* row, std::uint32_t count, int bits) {
    for (std::uint32_t x = 0; x < count; ++x) {
        const std::uint32_t bit = x * bits;
        row[x] = std::uint8_t((packed[bit / 8] >> (8 - bits - bit % 8)) & ((1 << bits) - 1));
    }
}

/// Gray of any depth, with the values of the file: labels and masks must not be stretched.
class GrayDecoder {
  public:
    GrayDecoder(const InputFile& file, TIFF* tiff, const TiffHeader& header, const TiffLog& log)
        : file_(file), tiff_(tiff), header_(header), log_(log) {
        if ((header.bits & (header.bits - 1)) != 0)
            throw Error(file.name, "expected gray samples of 1, 2, 4, 8, 16 or 32 bits, got {}", header.bits);
    }

    Raster decode() {
        const auto max_value = std::uint32_t((std::uint64_t(1) << header_.bits) - 1);
        raster_ = {int(header_.width), int(header_.height), 1, max_value, !header_.is_lossy(), {}};
        raster_.allocate(file_.name);
        std::uint32_t block_width = header_.width, block_height = header_.height;
        const bool tiled = TIFFIsTiled(tiff_);
        TIFFGetFieldDefaulted(tiff_, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &block_height);
        if (tiled) TIFFGetField(tiff_, TIFFTAG_TILEWIDTH, &block_width);
        block_.resize(tiled ? TIFFTileSize(tiff_) : TIFFStripSize(tiff_));
        for (std::uint64_t y = 0; y < header_.height; y += block_height)
            for (std::uint64_t x = 0; x < header_.width; x += block_width)
                decode_block(std::uint32_t(x), std::uint32_t(y), block_width, block_height);
        if (header_.photometric == PHOTOMETRIC_MINISWHITE) invert();
        return std::move(raster_);
    }

  private:
    void decode_block(std::uint32_t x, std::uint32_t y, std::uint32_t block_width, std::uint32_t block_height) {
        const std::size_t packed_row = (std::size_t(block_width) * header_.bits + 7) / 8;
        const std::uint32_t rows = std::min(block_height, header_.height - y);
        const std::uint32_t columns = std::min(block_width, header_.width - x);
        const tmsize_t got = TIFFIsTiled(tiff_)
                                 ? TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, x, y, 0, 0), block_.data(), -1)
                                 : TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, 0), block_.data(), -1);
        if (got < tmsize_t(packed_row * rows)) throw Error(file_.name, "expected a complete TIFF, got: {}", log_.error);
        for (std::uint32_t r = 0; r < rows; ++r) {
            const std::uint8_t* source = &block_[r * packed_row];
            std::uint8_t* target = &raster_.bytes[(y + r) * raster_.row_bytes() + x * raster_.sample_bytes()];
            if (header_.bits < 8)
                unpack(source, target, columns, header_.bits);
            else
                std::memcpy(target, source, std::size_t(columns) * raster_.sample_bytes());
        }
    }

    /// Stored 0 is white: turned so that 0 is black, as everywhere else.
    void invert() {
        const std::uint8_t mask = header_.bits < 8 ? std::uint8_t(raster_.max_value) : 0xff;
        for (std::uint8_t& byte : raster_.bytes) byte ^= mask;
    }

    const InputFile& file_;
    TIFF* tiff_;
    const TiffHeader& header_;
    const TiffLog& log_;
    Raster raster_;
    std::vector<std::uint8_t> block_;
};

/// Everything else through libtiff's own conversion to 8-bit RGBA with premultiplied alpha; composited over white here.
Raster decode_color(const InputFile& file, TIFF* tiff, const TiffHeader& header, const TiffLog& log) {
    char reason[1024] = "";
    TIFFRGBAImage source{};
    constexpr int stop_on_error = 1;
    if (!TIFFRGBAImageOK(tiff, reason) || !TIFFRGBAImageBegin(&source, tiff, stop_on_error, reason))
        throw Error(file.name, "expected a gray, palette, RGB, CMYK or YCbCr TIFF, got: {}",
                    reason[0] ? std::string(reason) : log.error);
    const std::unique_ptr<TIFFRGBAImage, decltype(&TIFFRGBAImageEnd)> end(&source, TIFFRGBAImageEnd);
    source.req_orientation = source.orientation;
    Raster raster{int(header.width), int(header.height), 3, 255, !header.is_lossy() && header.bits <= 8, {}};
    raster.allocate(file.name);
    std::vector<std::uint32_t> pixels(raster.pixel_count());
    if (!TIFFRGBAImageGet(&source, pixels.data(), header.width, header.height))
        throw Error(file.name, "expected a complete TIFF, got: {}", log.error);
    for (std::size_t i = 0; i < pixels.size(); ++i) {
        const std::uint32_t white = 255 - TIFFGetA(pixels[i]);
        raster.exact = raster.exact && white == 0;
        raster.bytes[3 * i] = std::uint8_t(std::min(255u, TIFFGetR(pixels[i]) + white));
        raster.bytes[3 * i + 1] = std::uint8_t(std::min(255u, TIFFGetG(pixels[i]) + white));
        raster.bytes[3 * i + 2] = std::uint8_t(std::min(255u, TIFFGetB(pixels[i]) + white));
    }
    return raster;
}

}  // namespace

Raster decode_tiff(const InputFile& file) {
    TiffLog log;
    const Tiff tiff = open_tiff(file, log);
    select_page(tiff.get());
    const TiffHeader header(tiff.get());
    check_header(file, tiff.get(), header);
    log.error.clear();
    Raster raster = header.is_gray() ? GrayDecoder(file, tiff.get(), header, log).decode()
                                     : decode_color(file, tiff.get(), header, log);
    if (!log.error.empty() || !log.damage.empty())
        throw Error(file.name, "expected a complete TIFF, got: {}", log.error.empty() ? log.damage : log.error);
    return raster;
}

}  // namespace karyon
