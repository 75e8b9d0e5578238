#include "kernels/resample/upsample_nearest.h"

#include "tests/kernels/deterministic.h"
#include "tests/kernels/upsample_reference.h"

using namespace karyon;
using namespace karyon::kernels;
using namespace karyon::test;

namespace {

const UpsampleShape shapes[] = {{1, 1, 1, 1},  {2, 1, 5, 3},    {1, 7, 1, 1},
                                {3, 5, 3, 17}, {1, 33, 31, 24}, {2, 2, 3, 449}};

}  // namespace

TEST_CASE("upsampling repeats pixels and its backward adds them up, exactly on integers") {
    Stream stream;
    for (const UpsampleShape& shape : shapes) {
        CAPTURE(shape.width);
        CAPTURE(shape.channels);
        const std::vector<float> x = integer_values(size_of_input(shape), 1), dy = integer_values(4 * x.size(), 2);
        const std::vector<std::size_t> sources = upsample_sources(shape);
        std::vector<float> expected(dy.size()), expected_dx(x.size());
        for (std::size_t i = 0; i < sources.size(); ++i) {
            expected[i] = x[sources[i]];
            expected_dx[sources[i]] += dy[i];
        }
        const auto run = [&] {
            Guarded y(dy.size()), dx(x.size());
            cpu::upsample_nearest_forward(stream, shape, x.data(), y.data());
            cpu::upsample_nearest_backward(stream, shape, dy.data(), dx.data());
            CHECK(y.intact());
            CHECK(dx.intact());
            check_close(y, to_double(expected), 0, 0);
            check_close(dx, to_double(expected_dx), 0, 0);
            std::vector<float> all(y.values().begin(), y.values().end());
            all.insert(all.end(), dx.values().begin(), dx.values().end());
            return all;
        };
        check_deterministic(run);
    }
}
