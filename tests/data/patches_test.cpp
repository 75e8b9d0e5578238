#include "data/patches.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "kernels/error.h"
#include "tensor/random.h"

using namespace karyon;

namespace {

Image random_image(int width, int height) {
    Image image(width, height);
    Random random(width * 1000 + height);
    for (auto& level : image.pixels) level = std::uint8_t(random.u32());
    return image;
}

float expected(int level, int c) {
    const InputScaling s;
    return float((level / 255.0 - s.mean[c]) / s.std[c]);
}

int differing(const Image& image, int x, int y, int size, Border border, const std::vector<float>& patch) {
    auto fold = [](int i, int n) {
        while (i < 0 || i >= n) i = n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
        return i;
    };
    int wrong = 0;
    for (int v = 0; v < size; ++v)
        for (int u = 0; u < size; ++u)
            for (int c = 0; c < 3; ++c) {
                int px = x + u, py = y + v;
                if (border == Border::reflect) px = fold(px, image.width), py = fold(py, image.height);
                const bool on = px >= 0 && py >= 0 && px < image.width && py < image.height;
                const float want = expected(on ? image.at(px, py)[c] : 0, c);
                wrong += !(std::abs(patch[(v * size + u) * 3 + c] - want) < 2e-6f);
            }
    return wrong;
}

}  // namespace

TEST_CASE("patches at any place of any image: every pixel, black or mirrored outside") {
    for (auto [width, height] : {std::pair{1, 1}, {2, 7}, {13, 40}, {50, 31}}) {
        const Image image = random_image(width, height);
        for (auto [x, y, size] :
             {std::array{0, 0, 8}, {-5, -3, 17}, {9, 20, 33}, {-60, 5, 20}, {60, -70, 19}, {3, 3, 1}})
            for (Border border : {Border::zero, Border::reflect}) {
                std::vector<float> patch(size * size * 3, 99);
                cut_patch(image, x, y, size, border, {}, patch.data());
                CHECK(differing(image, x, y, size, border, patch) == 0);
            }
    }
    const Image image = random_image(30, 30);
    std::vector<float> patch(8 * 8 * 3);
    cut_patch(image, 5, 5, 8, Border::zero, {}, patch.data());
    CHECK(differing(image, 6, 5, 8, Border::zero, patch) > 100);
    CHECK_THROWS_AS(cut_patch(Image(), 0, 0, 4, Border::zero, {}, nullptr), Error);
}

TEST_CASE("the local view is the middle of the global one") {
    const Image image = random_image(90, 70);
    PatchGeometry geometry;
    geometry.local = 32, geometry.margin = 12;
    CHECK(geometry.global() == 56);
    std::vector<float> local(32 * 32 * 3), global(56 * 56 * 3);
    cut_local(image, 40, 30, geometry, {}, local.data());
    cut_global(image, 40, 30, geometry, {}, global.data());
    CHECK(differing(image, 40, 30, 32, Border::reflect, local) == 0);
    CHECK(differing(image, 28, 18, 56, Border::zero, global) == 0);
    int different = 0;
    for (int v = 0; v < 32; ++v)
        for (int i = 0; i < 96; ++i) different += local[v * 96 + i] != global[(v + 12) * 168 + 36 + i];
    CHECK(different == 0);
}

TEST_CASE("the mask is cut at the same place, 0 outside") {
    Mask mask(20, 15);
    Random random(4);
    for (auto& value : mask.pixels) value = std::uint8_t(random.below(2));
    for (auto [x, y] : {std::pair{0, 0}, {-6, 4}, {14, 9}, {100, 100}, {-100, 3}}) {
        std::vector<std::uint8_t> patch(12 * 12, 7);
        cut_mask(mask, x, y, 12, patch.data());
        int wrong = 0;
        for (int v = 0; v < 12; ++v)
            for (int u = 0; u < 12; ++u) {
                const int px = x + u, py = y + v;
                const bool on = px >= 0 && py >= 0 && px < 20 && py < 15;
                wrong += patch[v * 12 + u] != (on ? mask.pixels[py * 20 + px] : 0);
            }
        CHECK(wrong == 0);
    }
}

TEST_CASE("whole levels are scaled to the same bits from bytes and from floats") {
    std::vector<std::uint8_t> bytes(257 * 3);
    std::vector<float> floats(bytes.size()), a(bytes.size()), b(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) floats[i] = bytes[i] = std::uint8_t(i / 3);
    scale_levels(bytes.data(), 257, {}, a.data());
    scale_levels(floats.data(), 257, {}, b.data());
    CHECK(a == b);
    for (int i = 0; i < 256 * 3; ++i) CHECK(a[i] == doctest::Approx(expected(i / 3, i % 3)).epsilon(1e-5));
}

TEST_CASE("a geometry without pixels is refused") {
    PatchGeometry bad;
    bad.local = 0;
    CHECK_THROWS_AS(check(bad), Error);
    bad.local = 4, bad.margin = -1;
    CHECK_THROWS_AS(check(bad), Error);
}
