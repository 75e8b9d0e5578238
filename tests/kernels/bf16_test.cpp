#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/bfloat16_rows.h"
#include "kernels/conv/depthwise_conv.h"
#include "kernels/elementwise/activation.h"
#include "kernels/elementwise/add.h"
#include "kernels/elementwise/concat.h"
#include "kernels/elementwise/relu6.h"
#include "kernels/excite/squeeze_excite.h"
#include "kernels/norm/batch_norm.h"
#include "kernels/resample/bilinear_resize.h"
#include "kernels/resample/upsample_concat.h"
#include "kernels/resample/upsample_nearest.h"
#include "tests/kernels/conv2d_reference.h"

/// The kernels of the CPU on bf16. Those that compute in f32 and round at the end must give, to the last bit, what they
/// give on the same numbers held as f32, then rounded; that they are right in f32 is for their own tests.
using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

using Floats = std::vector<float>;
using Halves = std::vector<bfloat16>;

/// How a kernel may differ from what it does on f32.
enum class Agreement {
    to_the_bit,
    but_for_sigmoids,  ///< off by 4e-6 before they are rounded: one in a hundred may be rounded to the neighbour
    rounds_between,    ///< to bf16 on its way, and has sigmoids
};

void check_values(Agreement agreement, const Floats& got, const Floats& expected) {
    if (agreement == Agreement::to_the_bit) return check_identical(got, expected);
    if (agreement == Agreement::rounds_between) return check_close(got, to_double(expected), 1e-2, 1e-2);
    constexpr double unit = 0x1p-7;  // of bf16's last place, at most
    check_close(got, to_double(expected), unit, 1e-5);
    std::size_t different = 0;
    for (std::size_t i = 0; i < got.size(); ++i) different += got[i] != expected[i];
    CHECK(different <= 1 + got.size() / 100);
}

/// Activations of so many elements in and out. run(inputs, outputs) returns what the kernel writes in f32.
template <typename Run>
void check_as_in_f32(const std::vector<std::size_t>& in_sizes, const std::vector<std::size_t>& out_sizes, Run run,
                     Agreement agreement = Agreement::to_the_bit) {
    std::vector<Halves> halves_in, halves_out;
    std::vector<Floats> floats_in, floats_out;
    for (const std::size_t size : in_sizes) {
        halves_in.push_back(rounded(random_values(size, 1 + halves_in.size())));
        floats_in.push_back(widened(halves_in.back()));
    }
    for (const std::size_t size : out_sizes) halves_out.emplace_back(size), floats_out.emplace_back(size);
    const auto run_on = [&](auto& ins, auto& outs) {
        std::vector<In> in;
        std::vector<Out> out;
        for (auto& values : ins) in.emplace_back(values.data());
        for (auto& values : outs) out.emplace_back(values.data());
        Stream stream;
        return Floats(run(stream, in, out));
    };
    const Floats expected = run_on(floats_in, floats_out), got = run_on(halves_in, halves_out);
    if (agreement == Agreement::to_the_bit)
        check_identical(got, expected);
    else
        check_close(got, to_double(expected), 1e-5, 1e-5);
    for (std::size_t i = 0; i < out_sizes.size(); ++i)
        check_values(agreement, widened(halves_out[i]), widened(rounded(floats_out[i])));
}

}  // namespace

TEST_CASE("bf16: rows are rounded like single numbers, but for subnormal ones, which may become zeros") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const int count : {1, 15, 16, 17, 48, 67}) {
        const int rows = 5, from_step = count + 3, to_step = count + 5;
        Floats from = random_values(std::size_t(rows * from_step), 3);
        const float special[] = {infinity, -infinity, 0.0f, -0.0f, 0x1.01p0f, 0x1.03p0f, 0x1.fffffep127f, 0x1p-126f};
        std::copy_n(special, std::min<std::size_t>(8, std::size_t(count)), from.begin() + from_step);
        Halves to(std::size_t(rows * to_step), bfloat16(7.0f));
        cpu::round_rows(rows, count, from.data(), from_step, to.data(), to_step);
        for (int row = 0; row < rows; ++row)
            for (int i = 0; i < to_step; ++i)
                CHECK(to[std::size_t(row * to_step + i)].bits ==
                      bfloat16(i < count ? from[std::size_t(row * from_step + i)] : 7.0f).bits);
        Floats odd(std::size_t(count), std::numeric_limits<float>::quiet_NaN());
        odd[0] = 0x1p-130f;
        cpu::round_rows(1, count, odd.data(), 0, to.data(), 0);
        CHECK((float(to[0]) == 0 || float(to[0]) == 0x1p-130f));
        for (int i = 1; i < count; ++i) CHECK(std::isnan(float(to[std::size_t(i)])));
    }
}

TEST_CASE("bf16: scaled rows are the rounded products") {
    for (const int count : {1, 15, 16, 17, 48, 67}) {
        const int rows = 3, size = rows * count;
        const Halves from = rounded(random_values(std::size_t(size), 5));
        const Floats scale = random_values(std::size_t(count), 6);
        Halves to(std::size_t(size + 16), bfloat16(7.0f));
        cpu::scale_rows(rows, count, from.data(), scale.data(), to.data());
        for (int i = 0; i < size; ++i)
            CHECK(to[std::size_t(i)].bits ==
                  bfloat16(float(from[std::size_t(i)]) * scale[std::size_t(i % count)]).bits);
        for (int i = size; i < size + 16; ++i) CHECK(float(to[std::size_t(i)]) == 7.0f);
    }
}

TEST_CASE("bf16: SiLU of rows for all numbers that there are") {
    constexpr std::size_t numbers = 1 << 16;
    Halves from(numbers), to(numbers, bfloat16(7.0f)), of_floats(numbers, bfloat16(7.0f));
    for (std::size_t i = 0; i < numbers; ++i) from[i].bits = std::uint16_t(i);
    const Floats floats = widened(from);
    constexpr int count = 253, step = 256;  // three in each row are left alone
    cpu::silu_rows(numbers / step, count, from.data(), step, to.data(), step);
    cpu::silu_rows(numbers / step, count, floats.data(), step, of_floats.data(), step);
    int wrong = 0, touched = 0, different = 0;
    for (std::size_t i = 0; i < numbers; ++i) {
        if (i % step >= count) {
            touched += float(to[i]) != 7.0f || float(of_floats[i]) != 7.0f;
            continue;
        }
        const double x = std::max(-87.0, double(floats[i])), silu = x / (1 + std::exp(-x));
        const auto near = [silu](double off) { return bfloat16(float(silu * (1 + off))).bits; };
        different += to[i].bits != of_floats[i].bits;
        if (std::isnan(floats[i]))
            wrong += !std::isnan(float(to[i]));
        else if (std::abs(silu) < 0x1p-126)  // may become 0
            wrong += std::abs(float(to[i])) > 0x1p-126;
        else
            wrong += to[i].bits != near(-4e-6) && to[i].bits != near(4e-6);
    }
    CHECK(wrong == 0);
    CHECK(touched == 0);
    CHECK(different == 0);
}

TEST_CASE("bf16: activations, sums, scaling and concatenation as in f32") {
    const std::size_t n = 20011;
    for (const Activation f : {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid}) {
        check_as_in_f32({n}, {n}, [=](Stream& stream, const auto& in, const auto& out) {
            cpu::activation_forward(stream, f, n, in[0], out[0]);
            return Floats();
        });
        check_as_in_f32({n, n}, {n}, [=](Stream& stream, const auto& in, const auto& out) {
            cpu::activation_backward(stream, f, n, in[0], in[1], out[0]);
            return Floats();
        });
    }
    check_as_in_f32({n, n}, {n, n}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::relu6_forward(stream, n, in[0], out[0]);
        cpu::relu6_backward(stream, n, in[0], in[1], out[1]);
        return Floats();
    });
    check_as_in_f32({n, n}, {n}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::add(stream, n, in[0], in[1], out[0]);
        return Floats();
    });
    check_as_in_f32({3 * n}, {3 * n}, [=](Stream& stream, const auto& in, const auto& out) {
        const float scale[] = {0.5f, -1.7f, 0};
        cpu::scale_images(stream, 3, n, in[0], scale, out[0]);
        return Floats();
    });
    check_as_in_f32({n}, {n}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::add_scaled(stream, n, 0.3f, in[0], out[0]);
        return Floats();
    });
    check_as_in_f32({7 * 13, 5 * 13}, {12 * 13, 7 * 13, 5 * 13}, [](Stream& stream, const auto& in, const auto& out) {
        const ConcatInput parts[] = {{in[0], 7}, {in[1], 5}};
        cpu::concat_forward(stream, 13, parts, out[0]);
        return Floats();
    });
    check_as_in_f32({12 * 13}, {7 * 13, 5 * 13}, [](Stream& stream, const auto& in, const auto& out) {
        const ConcatOutput parts[] = {{out[0], 7}, {out[1], 5}};
        cpu::concat_backward(stream, 13, in[0], parts);
        return Floats();
    });
}

TEST_CASE("bf16: resampling as in f32") {
    const UpsampleShape up{2, 5, 7, 9};
    const std::size_t low = 2 * 5 * 7 * 9, skip = 4 * 2 * 5 * 7 * 40;
    check_as_in_f32({low, skip}, {4 * low + skip}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::upsample_concat_forward(stream, {up, 40}, in[0], in[1], out[0]);
        return Floats();
    });
    check_as_in_f32({4 * low + skip}, {low, skip}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::upsample_concat_backward(stream, {up, 40}, in[0], out[0], out[1]);
        return Floats();
    });
    check_as_in_f32({low}, {4 * low}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::upsample_nearest_forward(stream, up, in[0], out[0]);
        return Floats();
    });
    check_as_in_f32({4 * low}, {low}, [=](Stream& stream, const auto& in, const auto& out) {
        cpu::upsample_nearest_backward(stream, up, in[0], out[0]);
        return Floats();
    });
    for (const int channels : {3, 20}) {
        const ResizeShape shape{2, 9, 12, 5, 17, channels};
        const std::size_t from = std::size_t(2 * 9 * 12) * channels, to = std::size_t(2 * 5 * 17) * channels;
        check_as_in_f32({from}, {to}, [=](Stream& stream, const auto& in, const auto& out) {
            cpu::bilinear_resize_forward(stream, shape, in[0], out[0]);
            return Floats();
        });
        check_as_in_f32({to}, {from}, [=](Stream& stream, const auto& in, const auto& out) {
            cpu::bilinear_resize_backward(stream, shape, in[0], out[0]);
            return Floats();
        });
    }
}

TEST_CASE("bf16: batch norm as in f32") {
    for (const int channels : {1, 24, 145})
        for (const Activation f : {Activation::none, Activation::relu, Activation::silu, Activation::sigmoid}) {
            CAPTURE(channels);
            CAPTURE(f);
            const bool dear = f == Activation::silu || f == Activation::sigmoid;
            const Agreement agreement = dear ? Agreement::but_for_sigmoids : Agreement::to_the_bit;
            const std::int64_t rows = 3 * 211;
            const std::size_t n = std::size_t(rows) * channels, c = std::size_t(channels);
            const BatchNormShape shape{rows, channels, 1e-3f, f};
            const Floats mean = random_values(c, 11), variance = random_values(c, 12, 0.1f, 2);
            const Floats gamma = random_values(c, 13), beta = random_values(c, 14);
            check_as_in_f32(
                {n}, {n},
                [&](Stream& stream, const auto& in, const auto& out) {
                    cpu::batch_norm_forward(stream, shape, in[0], mean.data(), variance.data(), gamma.data(),
                                            beta.data(), out[0]);
                    return Floats();
                },
                agreement);
            const auto backward_by = [&](auto function) {
                return [&, function](Stream& stream, const auto& in, const auto& out) {
                    Floats gradients(2 * c);
                    function(stream, shape, in[0], mean.data(), variance.data(), gamma.data(), beta.data(), in[1],
                             out[0], gradients.data(), gradients.data() + c);
                    return gradients;
                };
            };
            check_as_in_f32({n, n}, {n}, backward_by(cpu::batch_norm_backward),
                            dear ? Agreement::rounds_between : Agreement::to_the_bit);
            check_as_in_f32({n, n}, {n}, backward_by(cpu::batch_norm_backward_frozen), agreement);
        }
}

TEST_CASE("bf16: sums of batch norm and squeeze-excite as in f32") {
    for (const int channels : {1, 24, 145}) {
        const std::int64_t rows = 3 * 211;
        const std::size_t n = std::size_t(rows) * channels, c = std::size_t(channels);
        check_as_in_f32({n}, {}, [&](Stream& stream, const auto& in, const auto&) {
            Floats statistics(2 * c);
            cpu::batch_norm_statistics(stream, {rows, channels}, in[0], statistics.data(), statistics.data() + c);
            return statistics;
        });
        const int reduced = 6;
        const SqueezeExciteShape excite{3, 211, channels, reduced};
        const Floats w1 = random_values(c * reduced, 15), b1 = random_values(reduced, 16);
        const Floats w2 = random_values(c * reduced, 17), b2 = random_values(c, 18);
        check_as_in_f32({n, n}, {n, n}, [&](Stream& stream, const auto& in, const auto& out) {
            Floats results(6 * c + 3 * reduced + 2 * c * reduced + reduced + c);
            float *pooled = results.data(), *hidden = pooled + 3 * c, *gate = hidden + 3 * reduced;
            float *dw1 = gate + 3 * c, *db1 = dw1 + c * reduced, *dw2 = db1 + reduced, *db2 = dw2 + c * reduced;
            cpu::squeeze_excite_gate(stream, excite, in[0], w1.data(), b1.data(), w2.data(), b2.data(), pooled, hidden,
                                     gate);
            cpu::squeeze_excite_apply(stream, excite, in[0], gate, out[0]);
            cpu::squeeze_excite_backward(stream, excite, in[0], w1.data(), w2.data(), pooled, hidden, gate, in[1],
                                         out[1], dw1, db1, dw2, db2);
            return results;
        });
    }
}

TEST_CASE("bf16: depthwise convolution as in f32") {
    // The wide ones go through the cache in several bands of rows.
    for (const auto& [channels, kernel, stride, width] : {std::array{3, 3, 1, 11},
                                                          {17, 5, 1, 11},
                                                          {64, 3, 2, 11},
                                                          {84, 5, 2, 11},
                                                          {40, 3, 1, 11},
                                                          {33, 5, 1, 11},
                                                          {64, 5, 1, 501},
                                                          {67, 3, 2, 400},
                                                          {20, 5, 2, 1100}}) {
        const DepthwiseConvShape s{2, 9, width, channels, kernel, stride, Padding::same(9, width, kernel, stride)};
        const std::size_t x = std::size_t(2 * 9 * width) * channels,
                          y = std::size_t(2 * s.out_height() * s.out_width()) * channels;
        const Floats w = random_values(std::size_t(kernel * kernel * channels), 21);
        check_as_in_f32({x, y}, {y, x}, [&](Stream& stream, const auto& in, const auto& out) {
            Floats dw(w.size());
            cpu::depthwise_conv_forward(stream, s, in[0], w.data(), out[0]);
            cpu::depthwise_conv_backward_data(stream, s, in[1], w.data(), out[1]);
            cpu::depthwise_conv_backward_weights(stream, s, in[0], in[1], dw.data());
            return dw;
        });
    }
}

TEST_CASE("bf16: dense convolution is exact on small integers, rounded once") {
    if (!cpu::has_bf16()) return;
    for (const conv2d_reference::Shape& s : {conv2d_reference::Shape{2, 7, 9, 24, 40, 1, 1, {}},
                                             {1, 8, 8, 40, 24, 1, 1, {}},
                                             {2, 9, 8, 16, 16, 3, 1, {1, 1, 1, 1}},
                                             {1, 10, 11, 6, 48, 3, 2, {0, 0, 1, 1}},
                                             {1, 5, 4, 3, 5, 3, 1, {1, 1, 1, 1}},
                                             {2, 6, 6, 16, 1, 3, 1, {1, 1, 1, 1}}}) {
        CAPTURE(s.kernel);
        const Floats x = integer_values(conv2d_reference::x_size(s), 1),
                     w = integer_values(conv2d_reference::w_size(s), 2);
        const Floats bias = integer_values(std::size_t(s.out_channels), 3),
                     dy = integer_values(conv2d_reference::y_size(s), 4);
        const Halves x16 = rounded(x), w16 = rounded(w), dy16 = rounded(dy);
        Halves y(dy.size()), dx(x.size());
        Floats dw(w.size()), dbias(bias.size());
        Stream stream;
        cpu::conv2d_forward(stream, s, x16.data(), w16.data(), bias.data(), y.data());
        cpu::conv2d_backward_data(stream, s, dy16.data(), w16.data(), dx.data());
        cpu::conv2d_backward_weights(stream, s, x16.data(), dy16.data(), dw.data(), dbias.data());
        const auto once = [](const conv2d_reference::Doubles& values) {
            return widened(rounded(Floats(values.begin(), values.end())));
        };
        check_identical(widened(y), once(conv2d_reference::forward(s, to_double(x), to_double(w), to_double(bias))));
        check_identical(widened(dx), once(conv2d_reference::backward_data(s, to_double(dy), to_double(w))));
        check_close(
            dw, conv2d_reference::backward_weights(s, to_double(x), to_double(dy), conv2d_reference::Doubles(w.size())),
            0, 0);
    }
}
