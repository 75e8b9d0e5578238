#include <cuda_runtime_api.h>

#include <memory>

#include "kernels/optim/amsgrad.h"
#include "tests/gpu/device_buffer.h"
#include "tests/gpu/op_case.h"

using namespace karyon;
using namespace karyon::test;
using kernels::AmsgradCoefficients;
using kernels::AmsgradStep;

namespace {

constexpr std::int64_t count = 3001;
constexpr float max_norm = 2;

struct State {
    std::vector<float> param = random_values(count, 1), m = std::vector<float>(count), v = m, vmax = m;
};

/// A step of the optimiser as the CPU takes it: the norm comes back, and the scale goes in.
void step_on_cpu(AmsgradStep step, const std::vector<float>& grad, State& state) {
    kernels::Stream stream;
    const double norm = std::sqrt(kernels::cpu::sum_of_squares(stream, count, grad.data()));
    if (norm > double{max_norm}) step.grad_scale = static_cast<float>(double{max_norm} / norm);
    kernels::cpu::amsgrad(stream, step, grad.data(), state.param.data(), state.m.data(), state.v.data(),
                          state.vmax.data());
}

void write(DeviceBuffer<float>& buffer, const void* values, std::size_t bytes) {
    cuda_ok(cudaMemcpy(buffer.data(), values, bytes, cudaMemcpyHostToDevice));
}

/// The norm and the step, captured once.
class CapturedStep {
  public:
    explicit CapturedStep(const State& start)
        : grad_(std::span(start.m)),
          param_(std::span(start.param)),
          m_(std::span(start.m)),
          v_(std::span(start.v)),
          vmax_(std::span(start.vmax)) {
        cuda_ok(cudaStreamCreate(&handle_));
        stream_ = std::make_unique<kernels::CudaStream>(handle_);
        // Scratch memory must be there before the capture.
        kernels::gpu::gradient_norm(*stream_, count, grad_.data(), norm_.data());
        cudaGraph_t graph = nullptr;
        cuda_ok(cudaStreamBeginCapture(handle_, cudaStreamCaptureModeGlobal));
        kernels::gpu::gradient_norm(*stream_, count, grad_.data(), norm_.data());
        kernels::gpu::amsgrad(*stream_, count, {coefficients_.data(), norm_.data(), max_norm, nullptr}, grad_.data(),
                              param_.data(), m_.data(), v_.data(), vmax_.data());
        cuda_ok(cudaStreamEndCapture(handle_, &graph));
        cuda_ok(cudaGraphInstantiate(&step_, graph, 0));
        cuda_ok(cudaGraphDestroy(graph));
    }
    ~CapturedStep() {
        cudaGraphExecDestroy(step_);
        stream_.reset();
        cudaStreamDestroy(handle_);
    }
    CapturedStep(const CapturedStep&) = delete;
    CapturedStep& operator=(const CapturedStep&) = delete;

    void launch(const AmsgradStep& step, const std::vector<float>& grad) {
        const AmsgradCoefficients coefficients(step);
        write(coefficients_, &coefficients, sizeof(coefficients));
        write(grad_, grad.data(), grad.size() * sizeof(float));
        cuda_ok(cudaGraphLaunch(step_, handle_));
        cuda_ok(cudaStreamSynchronize(handle_));
    }
    std::vector<float> param() const { return param_.read(); }
    std::vector<float> vmax() const { return vmax_.read(); }

  private:
    cudaStream_t handle_ = nullptr;
    cudaGraphExec_t step_ = nullptr;
    std::unique_ptr<kernels::CudaStream> stream_;
    DeviceBuffer<float> grad_, param_, m_, v_, vmax_, norm_{1}, coefficients_{8};
};

}  // namespace

TEST_CASE("gpu AMSGrad in a captured graph takes the step that the CPU takes, each time another one") {
    State state;
    CapturedStep captured(state);
    AmsgradStep step{.count = count, .weight_decay = 0.01f};
    for (step.step = 1; step.step <= 4; ++step.step) {
        step.learning_rate = 0.1f / static_cast<float>(step.step);
        // Norms from 0.3 to 5: below and above the largest.
        const std::vector<float> grad = random_values(count, static_cast<std::uint64_t>(10 + step.step), 0,
                                                      0.01f * static_cast<float>(step.step * step.step));
        step_on_cpu(step, grad, state);
        captured.launch(step, grad);
    }
    check_close(captured.param(), to_double(state.param), 1e-5, 1e-6);
    check_close(captured.vmax(), to_double(state.vmax), 1e-5, 1e-12);
    const std::vector<float> before = captured.param(), bad(count, INFINITY);
    captured.launch(step, bad);
    check_identical(captured.param(), before);
}
