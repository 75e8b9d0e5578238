#include "tests/kernels/deterministic.h"

using namespace karyon::test;

TEST_CASE("the determinism check sees a run that differs, by count or by threads") {
    int runs = 0;
    CHECK(nondeterminism([&] { return std::vector<float>{static_cast<float>(runs++)}; }) ==
          "another result with 1 threads than with 1");
    CHECK(nondeterminism([] { return std::vector<float>{static_cast<float>(omp_get_max_threads())}; }) ==
          "another result with 2 threads than with 1");
    CHECK(nondeterminism([] { return std::vector<float>{1, 2}; }).empty());
}
