#include "kernels/norm/batch_norm.h"
#include "tests/kernels/batch_norm_reference.h"
#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

struct Result {
    Guarded mean, variance;
};

Result statistics(int channels, std::span<const float> x) {
    Stream stream;
    const auto width = static_cast<std::size_t>(channels);
    const Guarded from(x);
    Result result{Guarded(width), Guarded(width)};
    cpu::batch_norm_statistics(stream, {static_cast<std::int64_t>(x.size() / width), channels}, from.data(),
                               result.mean.data(), result.variance.data());
    CHECK(result.mean.intact());
    CHECK(result.variance.intact());
    return result;
}

struct Size {
    std::size_t rows;
    int channels;
};
constexpr Size sizes[] = {{1, 1}, {1, 5}, {3, 1}, {2, 300}, {7, 6}, {37, 24}, {4099, 16}, {1037, 144}, {70, 1793}};

}  // namespace

TEST_CASE("batch norm statistics agree with extended precision") {
    for (const Size size : sizes) {
        CAPTURE(size.rows);
        CAPTURE(size.channels);
        const std::vector<float> x = random_values(size.rows * static_cast<std::size_t>(size.channels), 1, -2, 5);
        const Result got = statistics(size.channels, x);
        const Statistics expected = statistics_of(size.channels, to_double(x));
        check_close(got.mean, expected.mean, 1e-6, 1e-6);
        check_close(got.variance, expected.variance, 3e-6, 0);
    }
}

TEST_CASE("batch norm statistics keep their digits where the mean is 10000 deviations") {
    for (const Size size : {Size{4099, 16}, Size{40000, 3}, Size{1037, 144}}) {
        std::vector<float> x = random_values(size.rows * static_cast<std::size_t>(size.channels), 2, -1.75f, 1.75f);
        for (float& value : x) value += 1e4f;
        const Result got = statistics(size.channels, x);
        const Statistics expected = statistics_of(size.channels, to_double(x));
        check_close(got.mean, expected.mean, 1e-7, 0);
        check_close(got.variance, expected.variance, 1e-5, 0);
    }
}

TEST_CASE("batch norm statistics of a row far from all others, and of a constant") {
    std::vector<float> x = random_values(std::size_t{4096} * 16, 3);
    for (std::size_t c = 0; c < 16; ++c) x[c] = 1e5f;
    const Statistics expected = statistics_of(16, to_double(x));
    const Result got = statistics(16, x);
    const double deviation = 1e5 / 64;  // the mean is known to that scale, which is the one it is divided by
    check_close(got.mean, expected.mean, 0, 2e-6 * deviation);
    // A block of some 128 values per sum that starts with the far one loses that factor on an fp32 sum's 1e-6.
    check_close(got.variance, expected.variance, 128e-6, 0);
    const Result constant = statistics(3, std::vector<float>(3000, 1234.5f));
    check_identical(constant.mean, std::vector<float>(3, 1234.5f));
    check_identical(constant.variance, std::vector<float>(3, 0.0f));
}

TEST_CASE("batch norm statistics are exact on integers") {
    // With 2^k rows the variance is a multiple of 2^-2k: up to 1024 rows it fits a float.
    for (const Size size : {Size{64, 6}, Size{1024, 16}, Size{1024, 48}}) {
        const std::vector<float> x = integer_values(size.rows * static_cast<std::size_t>(size.channels), 4);
        const Result got = statistics(size.channels, x);
        const Statistics expected = statistics_of(size.channels, to_double(x));
        std::vector<float> variance(expected.variance.begin(), expected.variance.end());
        check_close(got.mean, expected.mean, 0, 1e-15);  // merged in double with quotients like 1/3
        check_identical(got.variance, variance);
    }
}

TEST_CASE("batch norm statistics show a NaN") {
    std::vector<float> x(3000, 1.0f);
    x[1501] = NAN;
    const Result got = statistics(3, x);
    CHECK(std::isnan(got.mean.data()[1]));
    CHECK(std::isnan(got.variance.data()[1]));
    CHECK(got.mean.data()[0] == 1.0f);
}

TEST_CASE("batch norm statistics do not depend on the number of threads") {
    const std::vector<float> x = random_values(std::size_t{20011} * 24, 5);
    check_deterministic([&] {
        const Result got = statistics(24, x);
        std::vector<float> all(got.mean.values().begin(), got.mean.values().end());
        all.insert(all.end(), got.variance.values().begin(), got.variance.values().end());
        return all;
    });
}

TEST_CASE("running statistics move by the momentum, the variance being unbiased") {
    Stream stream;
    const float mean[2] = {1, -2}, variance[2] = {3, 6};
    Guarded running_mean(std::vector<float>{5, 5}), running_variance(std::vector<float>{1, 2});
    cpu::batch_norm_update_running(stream, {4, 2}, 0.25f, mean, variance, running_mean.data(), running_variance.data());
    check_identical(running_mean, std::vector<float>{4, 3.25f});
    check_close(running_variance, std::vector<double>{0.75 + 0.25 * 4, 1.5 + 0.25 * 8}, 1e-6, 0);
    CHECK(running_mean.intact());
    CHECK(running_variance.intact());

    Guarded single_mean(std::vector<float>{5, 5}), single_variance(std::vector<float>{1, 2});
    cpu::batch_norm_update_running(stream, {1, 2}, 0.5f, mean, variance, single_mean.data(), single_variance.data());
    check_identical(single_variance, std::vector<float>{2, 4});
}
