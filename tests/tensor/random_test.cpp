#include "tensor/random.h"

#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/error.h"

using namespace karyon;

TEST_CASE("philox gives the published known-answer vectors") {
    const std::uint32_t ones = 0xFFFFFFFF;
    CHECK(philox({{0, 0}}, {{0, 0, 0, 0}}) == Words<4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(philox({ones, ones}, {ones, ones, ones, ones}) == Words<4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(philox({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
          Words<4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a sequence can be saved, skipped and read at any position") {
    Random random(0x123456789abcdef0, 7);
    std::vector<std::uint32_t> words;
    for (int i = 0; i < 37; ++i) words.push_back(random.u32());
    for (int i = 0; i < 37; ++i) CHECK(words[i] == random_word(0x123456789abcdef0, 7, i));

    Random skipped(0x123456789abcdef0, 7);
    skipped.skip(13);
    CHECK(skipped.u32() == words[13]);

    Random resumed(random.state());
    CHECK(resumed.state() == random.state());
    CHECK(resumed.u64() == random.u64());
    CHECK(resumed.normal() == random.normal());
    CHECK(random_word(1, 2, 3) != random_word(1, 3, 3));
    CHECK(random_word(1, 2, 3) != random_word(2, 2, 3));
}

TEST_CASE("every kind of number uses its fixed number of words") {
    Random random(1);
    auto words = [&](auto draw) {
        const auto before = random.state().position;
        for (int i = 0; i < 100; ++i) draw();
        return random.state().position - before;
    };
    CHECK(words([&] { random.uniform(); }) == 100);
    CHECK(words([&] { random.chance(0.5f); }) == 100);
    CHECK(words([&] { random.uniform_double(); }) == 200);
    CHECK(words([&] { random.normal(); }) == 200);
    CHECK(words([&] { random.below(3000000000u); }) == 200);
}

TEST_CASE("the moments and ranges are right") {
    Random random(42);
    const int n = 200000;
    double sum = 0, square = 0, normal_sum = 0, normal_square = 0, normal_fourth = 0;
    int counts[7] = {}, outside = 0;
    for (int i = 0; i < n; ++i) {
        const double u = i % 2 ? random.uniform() : random.uniform_double(), z = random.normal();
        outside += u < 0 || u >= 1;
        sum += u, square += u * u;
        normal_sum += z, normal_square += z * z, normal_fourth += z * z * z * z;
        ++counts[random.below(7)];
    }
    CHECK(outside == 0);
    CHECK(std::abs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::abs(square / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
    CHECK(std::abs(normal_sum / n) < 5 / std::sqrt(n));
    CHECK(std::abs(normal_square / n - 1) < 5 * std::sqrt(2.0 / n));
    CHECK(std::abs(normal_fourth / n - 3) < 5 * std::sqrt(96.0 / n));
    for (int count : counts) CHECK(std::abs(count - n / 7.0) < 5 * std::sqrt(n / 7.0));
    CHECK(random.below(1) == 0);
    CHECK_THROWS_AS(random.below(0), Error);
}

TEST_CASE("filling gives the same bits on any number of threads and for any count") {
    const int threads = omp_get_max_threads();
    std::vector<float> one(1001), four(1001), shorter(5), uniform(1001), uniform4(1001);
    omp_set_num_threads(1);
    fill_normal(one.data(), one.size(), 1, 2, 5, 6);
    fill_normal(shorter.data(), shorter.size(), 1, 2, 5, 6);
    fill_uniform(uniform.data(), uniform.size(), -3, 2, 5, 6);
    omp_set_num_threads(4);
    fill_normal(four.data(), four.size(), 1, 2, 5, 6);
    fill_uniform(uniform4.data(), uniform4.size(), -3, 2, 5, 6);
    omp_set_num_threads(threads);
    CHECK(one == four);
    CHECK(uniform == uniform4);
    CHECK(std::equal(shorter.begin(), shorter.end(), one.begin()));

    Random random(5, 6);
    int different = 0;
    for (float value : one) different += value != 1 + 2 * random.normal();
    CHECK(different == 0);
    CHECK(std::ranges::all_of(uniform, [](float u) { return u >= -3 && u < 2; }));
}
