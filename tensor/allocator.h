#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "tensor/device.h"

namespace karyon {

struct MemoryUse {
    std::size_t live = 0;      ///< bytes handed out now
    std::size_t peak = 0;      ///< the most that was ever live since the last reset
    std::size_t reserved = 0;  ///< bytes held from the system
    std::size_t segments = 0;  ///< how often the system was asked
};

/// Where an allocator's segments come from. Addresses are never dereferenced, so that any memory will do.
struct MemorySource {
    std::string name;  ///< for the text of errors
    /// At least `bytes`, on a multiple of 256; null where there is no more.
    void* (*reserve)(std::size_t bytes);
    void (*release)(void* memory, std::size_t bytes) noexcept;
};

/// Host memory in huge pages: first touches of fresh 4 KiB pages run at a tenth of the memory's speed.
MemorySource huge_pages();

/// Hands out blocks for tensors and keeps them for reuse, so that after its first step a training step asks the
/// system for nothing. Best fit, splitting and coalescing. Thread-safe.
///
/// Memory of a GPU is reused at once, though kernels that use it may still be queued: all of them run on the device's
/// one stream, in order.
class Allocator {
  public:
    explicit Allocator(MemorySource);
    ~Allocator();
    Allocator(const Allocator&) = delete;
    Allocator& operator=(const Allocator&) = delete;

    /// The one for host memory.
    static Allocator& host();
    /// The one for a device's memory.
    static Allocator& of(Device);

    /// 128-byte aligned, contents undefined. Throws Error where there is no more memory.
    void* allocate(std::size_t bytes);
    void release(void* block) noexcept;

    MemoryUse use() const;
    void reset_peak();
    /// Gives segments that are wholly free back to the system.
    void trim();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace karyon
