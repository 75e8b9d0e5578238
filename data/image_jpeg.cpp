#include <cstdio>
// jpeglib.h needs stdio.h before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>

#include "data/image_raster.h"
#include "kernels/error.h"

namespace karyon {

namespace {

/// libjpeg's error manager with a way out: both errors and warnings about damaged data leave by longjmp.
struct JpegErrors : jpeg_error_mgr {
    std::jmp_buf out;
    char text[JMSG_LENGTH_MAX] = "unknown error";
};

[[noreturn]] void leave(j_common_ptr info) {
    auto* errors = static_cast<JpegErrors*>(info->err);
    errors->format_message(info, errors->text);
    std::longjmp(errors->out, 1);
}

/// libjpeg fills what is missing of a truncated or damaged picture with gray and only warns of it. The warnings that
/// are let through are about headers, not pixels.
void on_message(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    const bool harmless = code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR || code == JWRN_EXTRANEOUS_DATA;
    if (level < 0 && !harmless) leave(info);
}

struct JpegReader {
    jpeg_decompress_struct info{};
    JpegErrors errors{};

    JpegReader() {
        info.err = jpeg_std_error(&errors);
        errors.error_exit = leave;
        errors.emit_message = on_message;
    }
    JpegReader(const JpegReader&) = delete;
    ~JpegReader() { jpeg_destroy_decompress(&info); }

    /// Runs body and says whether libjpeg came to its end. libjpeg leaves body by longjmp, so body must own nothing.
    template <typename Body>
    bool completes(Body body) {
        if (setjmp(errors.out)) return false;
        body();
        return true;
    }
};

J_COLOR_SPACE decoded_space(const jpeg_decompress_struct& info) {
    if (info.jpeg_color_space == JCS_GRAYSCALE) return JCS_GRAYSCALE;
    if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) return JCS_CMYK;
    return JCS_RGB;
}

/// One row of CMYK to RGB. Adobe's programs store 255 for no ink, the standard's own reading is 255 for full ink.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, int width, bool inverted) {
    const auto light = [&](int ink) { return inverted ? ink : 255 - ink; };
    for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; ++c) rgb[c] = std::uint8_t((light(cmyk[c]) * light(cmyk[3]) + 127) / 255);
}

}  // namespace

Raster decode_jpeg(const InputFile& file) {
    JpegReader reader;
    jpeg_decompress_struct& info = reader.info;
    const auto check = [&](bool complete) {
        if (!complete) throw Error(file.name, "expected a complete JPEG, got: {}", reader.errors.text);
    };
    check(reader.completes([&] {
        jpeg_create_decompress(&info);
        jpeg_stdio_src(&info, file.stream.get());
        jpeg_read_header(&info, TRUE);
        info.out_color_space = decoded_space(info);
        jpeg_calc_output_dimensions(&info);
    }));
    const bool cmyk = info.out_color_space == JCS_CMYK;
    const int channels = info.out_color_space == JCS_GRAYSCALE ? 1 : 3;
    // Huffman coding spends at least one bit on each 8x8 block of the largest component; arithmetic coding a little
    // less.
    constexpr double max_pixels_per_byte = 4096;
    const double pixels = double(info.output_width) * info.output_height;
    check_header(file, info.output_width, info.output_height, pixels * channels, max_pixels_per_byte * channels);

    Raster raster{int(info.output_width), int(info.output_height), channels, 255, false, {}};
    raster.allocate(file.name);
    std::vector<std::uint8_t> inks(cmyk ? std::size_t(raster.width) * 4 : 0);
    check(reader.completes([&] {
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            std::uint8_t* row = raster.bytes.data() + info.output_scanline * raster.row_bytes();
            JSAMPROW target = cmyk ? inks.data() : row;
            jpeg_read_scanlines(&info, &target, 1);
            if (cmyk) cmyk_to_rgb(inks.data(), row, raster.width, info.saw_Adobe_marker);
        }
        jpeg_finish_decompress(&info);
    }));
    return raster;
}

}  // namespace karyon
