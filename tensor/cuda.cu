#include <array>
#include <memory>
#include <mutex>

#include "kernels/cuda_stream.h"
#include "kernels/launch.cuh"
#include "tensor/cuda.h"

namespace karyon::cuda {
namespace {

using kernels::CudaStream;

constexpr int most_devices = 16;

void check(cudaError_t status, const char* what) { kernels::gpu::check(status, what); }

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

Gpus find_gpus() {
    Gpus found;
    int version = 0;
    if (cudaRuntimeGetVersion(&version) == cudaSuccess) found.runtime = version_text(version);
    if (cudaDriverGetVersion(&version) == cudaSuccess && version > 0) found.driver = version_text(version);
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || count == 0) {
        (void)cudaGetLastError();
        found.why_none = found.driver.empty() ? "no NVIDIA driver is installed"
                         : status == cudaErrorInsufficientDriver
                             ? fmt::format("the driver knows CUDA {}, karyon was built with {}: update the driver",
                                           found.driver, found.runtime)
                             : fmt::format("the driver finds no GPU ({})", cudaGetErrorString(status));
        return found;
    }
    for (int i = 0; i < count && i < most_devices; ++i) {
        cudaDeviceProp properties{};
        check(cudaGetDeviceProperties(&properties, i), "cuda");
        if (properties.major < 8) {
            found.why_none = fmt::format("{} has compute capability {}.{}, the kernels need 8.0", properties.name,
                                         properties.major, properties.minor);
            break;  // the ones behind it would be counted wrongly
        }
        found.devices.push_back({properties.name, properties.major, properties.minor, properties.totalGlobalMem,
                                 properties.multiProcessorCount});
    }
    if (!found.devices.empty()) found.why_none.clear();
    return found;
}

void require(int device) {
    const Gpus& found = gpus();
    if (found.devices.empty())
        throw Error("device", "expected a GPU for cuda:{}, got none: {}", device, found.why_none);
    if (device < 0 || device >= int(found.devices.size()))
        throw Error("device", "expected cuda:0 to cuda:{}, got cuda:{}", found.devices.size() - 1, device);
}

void* reserve_device_memory(std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes) == cudaSuccess) return memory;
    (void)cudaGetLastError();
    return nullptr;
}

void release_device_memory(void* memory, std::size_t) noexcept { cudaFree(memory); }

void* reserve_pinned_memory(std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMallocHost(&memory, bytes) == cudaSuccess) return memory;
    (void)cudaGetLastError();
    return nullptr;
}

void release_pinned_memory(void* memory, std::size_t) noexcept { cudaFreeHost(memory); }

/// Made at its first use and never destroyed: at the end of the program the driver may be gone before it.
struct DeviceState {
    std::once_flag made;
    Allocator* allocator = nullptr;
    Allocator* recording = nullptr;  ///< that of a graph, while it is recorded
    CudaStream* stream = nullptr;
};

Allocator* new_allocator(int device) {
    return new Allocator({fmt::format("memory of cuda:{}", device), reserve_device_memory, release_device_memory});
}

DeviceState& state_of(int device) {
    static std::array<DeviceState, most_devices> states;
    thread_local int current = -1;
    require(device);
    if (current != device) check(cudaSetDevice(device), "cuda"), current = device;
    DeviceState& state = states[static_cast<std::size_t>(device)];
    std::call_once(state.made, [&] {
        cudaStream_t handle = nullptr;
        check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking), "cuda");
        state.stream = new CudaStream(handle);
        state.allocator = new_allocator(device);
    });
    return state;
}

cudaStream_t handle_of(int device) { return state_of(device).stream->handle(); }

}  // namespace

const Gpus& gpus() {
    static const Gpus found = find_gpus();
    return found;
}

Allocator& allocator(int device) {
    DeviceState& state = state_of(device);
    return state.recording ? *state.recording : *state.allocator;
}

kernels::Stream& stream(int device) { return *state_of(device).stream; }

Allocator& pinned_allocator() {
    if (gpus().devices.empty()) return Allocator::host();
    static Allocator* allocator = new Allocator({"pinned memory", reserve_pinned_memory, release_pinned_memory});
    return *allocator;
}

void synchronize(int device) { check(cudaStreamSynchronize(handle_of(device)), "cuda"); }

void copy(void* to, Device to_device, const void* from, Device from_device, std::size_t bytes) {
    const bool reads_host = from_device.kind == Device::Kind::cpu, writes_host = to_device.kind == Device::Kind::cpu;
    const int device = writes_host ? from_device.index : to_device.index;
    if (!reads_host && !writes_host && from_device != to_device)
        throw Error("copy", "expected tensors of one GPU, got cuda:{} and cuda:{}", from_device.index, to_device.index);
    const cudaStream_t handle = handle_of(device);
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, handle), "copy");
    if (reads_host || writes_host) check(cudaStreamSynchronize(handle), "copy");
}

void zero(void* memory, int device, std::size_t bytes) {
    check(cudaMemsetAsync(memory, 0, bytes, handle_of(device)), "zero");
}

struct Graph::State {
    int device = 0;
    std::unique_ptr<Allocator> memory;
    cudaGraphExec_t executable = nullptr;

    ~State() {
        if (executable) cudaGraphExecDestroy(executable);
    }
};

Graph::Graph() : state_(std::make_unique<State>()) {}
Graph::~Graph() = default;

bool Graph::recorded() const { return state_->executable != nullptr; }

void Graph::record(int device, const std::function<void()>& work) {
    DeviceState& of_device = state_of(device);
    auto next = std::make_unique<State>();
    next->device = device;
    next->memory.reset(new_allocator(device));
    cudaGraph_t graph = nullptr;
    // Relaxed: the graph's own memory is asked for while it is recorded.
    check(cudaStreamBeginCapture(of_device.stream->handle(), cudaStreamCaptureModeRelaxed), "graph");
    of_device.recording = next->memory.get();
    std::exception_ptr failure;
    try {
        work();
    } catch (...) {
        failure = std::current_exception();
    }
    of_device.recording = nullptr;
    const cudaError_t ended = cudaStreamEndCapture(of_device.stream->handle(), &graph);
    if (failure) {
        if (graph) cudaGraphDestroy(graph);
        (void)cudaGetLastError();
        std::rethrow_exception(failure);
    }
    check(ended, "graph");
    const cudaError_t made = cudaGraphInstantiate(&next->executable, graph, 0);
    cudaGraphDestroy(graph);
    check(made, "graph");
    state_ = std::move(next);
}

void Graph::launch() {
    if (!recorded()) throw Error("graph", "expected a graph that was recorded before it is launched");
    check(cudaGraphLaunch(state_->executable, handle_of(state_->device)), "graph");
}

}  // namespace karyon::cuda
