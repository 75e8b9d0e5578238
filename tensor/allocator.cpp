#include "tensor/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>

#include "kernels/error.h"
#include "tensor/cuda.h"

namespace karyon {
namespace {

// A line of a GPU's cache; two of the CPU's.
constexpr std::size_t kAlignment = 128;
constexpr std::size_t kHugePage = std::size_t(2) << 20;
constexpr std::size_t kSegment = std::size_t(64) << 20;

std::size_t round_up(std::size_t value, std::size_t to) { return (value + to - 1) / to * to; }

void* reserve_huge_pages(std::size_t bytes) {
    void* memory = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    const auto raw = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t start = round_up(raw, kHugePage);
    if (start != raw) munmap(memory, start - raw);
    if (const std::size_t rest = raw + kHugePage - start) munmap(reinterpret_cast<void*>(start + bytes), rest);
    madvise(reinterpret_cast<void*>(start), bytes, MADV_HUGEPAGE);
    return reinterpret_cast<void*>(start);
}

void release_huge_pages(void* memory, std::size_t bytes) noexcept { munmap(memory, bytes); }

}  // namespace

/// Blocks tile their segment: each knows its neighbours, so that freeing one can merge it with those that are free.
struct Allocator::State {
    struct Block {
        std::size_t size = 0;
        bool free = true;
        bool first = false;  ///< begins a segment: never merges with what happens to lie before it
    };

    explicit State(MemorySource from) : source(std::move(from)) {}

    const MemorySource source;
    mutable std::mutex mutex;
    std::map<std::uintptr_t, Block> blocks;                        ///< by address
    std::set<std::pair<std::size_t, std::uintptr_t>> free_blocks;  ///< by size, then address: best fit, deterministic
    std::map<std::uintptr_t, std::size_t> segments;
    MemoryUse use;

    void add_segment(std::size_t bytes) {
        const std::size_t size = round_up(std::max(bytes, kSegment), kHugePage);
        const auto start = reinterpret_cast<std::uintptr_t>(source.reserve(size));
        if (!start)
            throw Error("allocator", "expected {} more bytes of {}, there is no more than the {} that are in use", size,
                        source.name, use.live);
        segments[start] = size;
        blocks[start] = {size, true, true};
        free_blocks.insert({size, start});
        use.reserved += size;
        ++use.segments;
    }

    void* take(std::size_t size) {
        auto found = free_blocks.lower_bound({size, 0});
        if (found == free_blocks.end()) {
            add_segment(size);
            found = free_blocks.lower_bound({size, 0});
        }
        const std::uintptr_t address = found->second;
        free_blocks.erase(found);
        Block& block = blocks[address];
        if (block.size > size) {
            blocks[address + size] = {block.size - size, true, false};
            free_blocks.insert({block.size - size, address + size});
            block.size = size;
        }
        block.free = false;
        use.live += size;
        use.peak = std::max(use.peak, use.live);
        return reinterpret_cast<void*>(address);
    }

    void give(std::uintptr_t address) {
        auto block = blocks.find(address);
        use.live -= block->second.size;
        block->second.free = true;
        const auto next = std::next(block);
        if (next != blocks.end() && next->second.free && !next->second.first) absorb(block, next);
        if (!block->second.first) {
            const auto previous = std::prev(block);
            if (previous->second.free) {
                absorb(previous, block);
                block = previous;
            }
        }
        free_blocks.insert({block->second.size, block->first});
    }

    using Position = std::map<std::uintptr_t, Block>::iterator;
    void absorb(Position into, Position from) {
        free_blocks.erase({into->second.size, into->first});
        free_blocks.erase({from->second.size, from->first});
        into->second.size += from->second.size;
        blocks.erase(from);
    }

    void trim() {
        for (auto segment = segments.begin(); segment != segments.end();) {
            const auto [start, size] = *segment;
            const auto block = blocks.find(start);
            if (!block->second.free || block->second.size != size) {
                ++segment;
                continue;
            }
            free_blocks.erase({size, start});
            blocks.erase(block);
            source.release(reinterpret_cast<void*>(start), size);
            use.reserved -= size;
            segment = segments.erase(segment);
        }
    }
};

MemorySource huge_pages() { return {"memory", reserve_huge_pages, release_huge_pages}; }

Allocator::Allocator(MemorySource source) : state_(std::make_unique<State>(std::move(source))) {}

Allocator::~Allocator() {
    for (const auto& [start, size] : state_->segments) state_->source.release(reinterpret_cast<void*>(start), size);
}

// Never destroyed, these two: tensors with static storage duration may outlive them.

Allocator& Allocator::host() {
    static Allocator* allocator = new Allocator(huge_pages());
    return *allocator;
}

Allocator& Allocator::of(Device device) {
    return device.kind == Device::Kind::cpu ? host() : cuda::allocator(device.index);
}

void* Allocator::allocate(std::size_t bytes) {
    if (bytes > (std::size_t(1) << 46)) throw Error("allocator", "expected a sensible size, got {} bytes", bytes);
    const std::lock_guard lock(state_->mutex);
    return state_->take(round_up(std::max<std::size_t>(bytes, 1), kAlignment));
}

void Allocator::release(void* block) noexcept {
    if (!block) return;
    const std::lock_guard lock(state_->mutex);
    state_->give(reinterpret_cast<std::uintptr_t>(block));
}

MemoryUse Allocator::use() const {
    const std::lock_guard lock(state_->mutex);
    return state_->use;
}

void Allocator::reset_peak() {
    const std::lock_guard lock(state_->mutex);
    state_->use.peak = state_->use.live;
}

void Allocator::trim() {
    const std::lock_guard lock(state_->mutex);
    state_->trim();
}

}  // namespace karyon
