#include "kernels/resample/upsample_concat.h"

#include "kernels/elementwise/concat.h"
#include "tests/kernels/deterministic.h"
#include "tests/kernels/upsample_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

TEST_CASE("upsampling and concatenation at once are the two one after the other, exactly on integers") {
    Stream stream;
    // Runs of fewer than 64 bytes, the unit of copies, of exactly 64, and of more.
    const UpsampleConcatShape shapes[] = {{{1, 1, 1, 1}, 1},   {{2, 1, 5, 3}, 17},   {{1, 7, 1, 16}, 32},
                                          {{3, 5, 3, 33}, 31}, {{1, 9, 11, 64}, 48}, {{2, 2, 3, 449}, 160}};
    for (const UpsampleConcatShape& shape : shapes) {
        CAPTURE(shape.low.channels);
        CAPTURE(shape.skip_channels);
        const std::size_t count = size_of_input(shape.low);
        const auto pixels = static_cast<std::int64_t>(4 * count) / shape.low.channels;
        const auto skip_count = static_cast<std::size_t>(pixels * shape.skip_channels);
        const std::vector<float> low = integer_values(count, 1), skip = integer_values(skip_count, 2),
                                 dy = integer_values(4 * count + skip_count, 3);
        std::vector<float> upsampled(4 * count), expected(dy.size()), expected_low(count), expected_skip(skip_count);
        cpu::upsample_nearest_forward(stream, shape.low, low.data(), upsampled.data());
        const ConcatInput inputs[] = {{upsampled.data(), shape.low.channels}, {skip.data(), shape.skip_channels}};
        cpu::concat_forward(stream, pixels, inputs, expected.data());
        const ConcatOutput parts[] = {{upsampled.data(), shape.low.channels},
                                      {expected_skip.data(), shape.skip_channels}};
        cpu::concat_backward(stream, pixels, dy.data(), parts);
        cpu::upsample_nearest_backward(stream, shape.low, upsampled.data(), expected_low.data());

        check_deterministic([&] {
            Guarded y(dy.size()), dlow(count), dskip(skip_count);
            cpu::upsample_concat_forward(stream, shape, low.data(), skip.data(), y.data());
            cpu::upsample_concat_backward(stream, shape, dy.data(), dlow.data(), nullptr);
            cpu::upsample_concat_backward(stream, shape, dy.data(), nullptr, dskip.data());
            for (const Guarded* result : {&y, &dlow, &dskip}) CHECK(result->intact());
            check_close(y, to_double(expected), 0, 0);
            check_close(dlow, to_double(expected_low), 0, 0);
            check_close(dskip, to_double(expected_skip), 0, 0);
            return std::vector<float>(y.values().begin(), y.values().end());
        });
    }
}
