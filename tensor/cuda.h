#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/types.h"
#include "tensor/allocator.h"

/// The CUDA runtime, as far as tensors need it. A build without CUDA has it too: with no device, and a reason.
namespace karyon::cuda {

struct GpuInfo {
    std::string name;
    int major = 0, minor = 0;  ///< compute capability
    std::size_t memory = 0;    ///< bytes
    int multiprocessors = 0;
};

struct Gpus {
    std::vector<GpuInfo> devices;  ///< those that the kernels run on: compute capability 8.0 and later
    std::string driver, runtime;   ///< "13.0"; empty where there is none
    std::string why_none;          ///< why `devices` is empty
};

/// What this machine has. Asked once.
const Gpus& gpus();

Allocator& allocator(int device);
/// Host memory that a GPU reads and writes by itself, without a copy through the driver's own; ordinary host memory
/// where there is no GPU.
Allocator& pinned_allocator();

/// The one stream of a device, on which all its kernels and copies are queued; makes the device the current one of
/// this thread. Throws Error where there is no such device.
kernels::Stream& stream(int device);

/// Waits until the device has done all that was queued, and throws Error for what failed in it.
void synchronize(int device);

/// Copies `bytes` between host and device, or within a device, behind what is queued. Has happened when it returns
/// where host memory takes part.
void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes);
/// Queued.
void zero(void* memory, int device, std::size_t bytes);

/// What was queued on a device once, queued again by a single call: the many small kernels of a training step then cost
/// the host nothing. Everything in it keeps its place: tensors made while it was recorded are taken from memory that is
/// the graph's own, so the graph must outlive them; what changes from one launch to the next must be read from tensors
/// made before.
class Graph {
  public:
    Graph();
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    /// Records what `work` queues on the device, and does not run it. `work` must not wait for the device, and must
    /// have run before, so that nothing is left to be set up.
    void record(int device, const std::function<void()>& work);
    bool recorded() const;
    void launch();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace karyon::cuda
