#include "tensor/tensor.h"

#include <doctest/doctest.h>

#include "tensor/allocator.h"

using namespace karyon;

TEST_CASE("tensor: copies share elements, clones do not") {
    const Tensor a = Tensor::from({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    const Tensor shared = a, copy = a.clone();
    a.data<float>()[0] = 9;
    CHECK(shared.data<float>()[0] == 9);
    CHECK(copy.data<float>()[0] == 1);
    CHECK(a.reshape({3, 2}).raw() == a.raw());
    CHECK(a.view(2, {2}).data<float>()[1] == 4);
}

TEST_CASE("tensor: misuse is named") {
    const Tensor a = Tensor::zeros({2, 3});
    CHECK_THROWS_WITH_AS(a.data<std::int32_t>(), "[tensor] expected i32 elements, got f32", Error);
    CHECK_THROWS_WITH_AS(Tensor().data<float>(), "[tensor] expected f32 elements, got an undefined tensor", Error);
    CHECK_THROWS_WITH_AS(a.reshape({4}), "[reshape] expected 6 elements, got 4 for [4]", Error);
    CHECK_THROWS_WITH_AS(a.view(5, {2}), "[view] expected elements within [0, 6), got [5, 7)", Error);
    CHECK_THROWS_AS(a.copy_from(Tensor::zeros({3, 2})), Error);
    CHECK_THROWS_AS(a.item(), Error);
    CHECK_THROWS_AS(Tensor::empty({-1}), Error);
}

TEST_CASE("bfloat16 rounds to nearest even and keeps NaN and infinity") {
    CHECK(float(bfloat16(1.0f)) == 1.0f);
    CHECK(bfloat16(1.00390625f).bits == 0x3f80);  // halfway to the next: the even one below
    CHECK(bfloat16(1.01171875f).bits == 0x3f82);  // halfway: the even one above
    CHECK(std::isinf(float(bfloat16(std::numeric_limits<float>::infinity()))));
    CHECK(std::isnan(float(bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST_CASE("allocator: freed blocks merge and are handed out again") {
    Allocator allocator(huge_pages());
    void* a = allocator.allocate(100);
    void* b = allocator.allocate(1000);
    void* c = allocator.allocate(100);
    CHECK(allocator.use().live == 128 + 1024 + 128);
    CHECK(reinterpret_cast<std::uintptr_t>(b) % 64 == 0);
    allocator.release(a);
    allocator.release(b);
    void* joined = allocator.allocate(1100);  // only the two together are that long
    CHECK(joined == a);
    allocator.release(joined);
    allocator.release(c);
    const MemoryUse use = allocator.use();
    CHECK(use.live == 0);
    CHECK(use.peak == 128 + 1152 + 0);
    CHECK(use.segments == 1);
    allocator.trim();
    CHECK(allocator.use().reserved == 0);
}

TEST_CASE("allocator: a second round of the same sizes asks the system for nothing") {
    Allocator allocator(huge_pages());
    std::size_t after_first = 0;
    for (int round = 0; round < 3; ++round) {
        std::vector<void*> blocks;
        for (const std::size_t megabytes : {5, 90, 1, 40, 70}) blocks.push_back(allocator.allocate(megabytes << 20));
        for (void* block : blocks) allocator.release(block);
        if (round == 0) after_first = allocator.use().segments;
    }
    CHECK(allocator.use().segments == after_first);
}

TEST_CASE("allocator: an absurd size is an error") {
    Allocator allocator(huge_pages());
    CHECK_THROWS_AS(allocator.allocate(std::size_t(1) << 60), Error);
}
