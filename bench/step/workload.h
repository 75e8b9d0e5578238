#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace karyon::bench {

/// The network that karyon and its peers are compared with: EfficientNet-B4 U-Net in the public form (decoder `smp`),
/// one view, symmetric padding, 19.4 M parameters.
struct WorkloadOptions {
    std::string kind;  ///< train | infer | macenko | load
    std::string precision = "fp32";
    int batch = 8, size = 256;
    std::filesystem::path folder;  ///< holds weights.safetensors and inputs.safetensors; of load: a data set
    std::filesystem::path split;   ///< of load: the names to train on
};

/// Writes the weights, the inputs of `batch` images, and a picture of 1000 x 1000 pixels to normalise, which all
/// programs of a comparison read.
void write_case(const WorkloadOptions&);

/// Something that can be run again and again.
class Workload {
  public:
    virtual ~Workload() = default;
    virtual void run() = 0;
    /// What must agree between programs: the loss of the last training step, the logits of the last inference,
    /// the normalised picture.
    virtual std::vector<float> result() const = 0;
};

std::unique_ptr<Workload> make_workload(const WorkloadOptions&);

}  // namespace karyon::bench
