#include "kernels/elementwise/drop_connect.h"

#include "kernels/philox.h"
#include "tests/kernels/deterministic.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

TEST_CASE("drop-connect draws a word an image and keeps the mean") {
    Stream stream;
    const DropConnect drop{.seed = 5, .stream = 6, .position = 7, .batch = 20000, .probability = 0.2f};
    Guarded scale(20000);
    cpu::drop_connect_scales(stream, drop, nullptr, scale.data());
    CHECK(scale.intact());
    double sum = 0;
    for (std::size_t image = 0; image < scale.size(); ++image) {
        const bool kept = random_unit(random_word(5, 6, 7 + image)) >= 0.2f;
        REQUIRE(scale.data()[image] == (kept ? 1.25f : 0.0f));
        sum += static_cast<double>(scale.data()[image]);
    }
    CHECK(std::abs(sum / 20000 - 1) < 5 * 0.5 / std::sqrt(20000));
}
