#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/import/element_type.h"
#include "tensor/tensor.h"

namespace karyon {

/// A tensor of a checkpoint. Its elements stay in the file until they are read.
struct CheckpointTensor {
    std::string name;
    ElementType type = ElementType::f32;
    Shape shape;  ///< as stored
    /// Fills `to`, which has as many elements as the shape, row-major. Throws Error where the file fails.
    std::function<void(std::span<float> to)> read;
};

/// The tensors of a file, whatever program wrote it: what safetensors, PyTorch and Keras files have in common.
class Checkpoint {
  public:
    /// Told apart by the first bytes: safetensors; PyTorch's zip archives and the stream of its versions before 1.6;
    /// HDF5 (Keras weights or a whole Keras model). Every size is checked against the file before anything is
    /// allocated, and no code of the file is run. Throws Error naming the file and the field.
    static Checkpoint open(const std::filesystem::path&);

    /// Throws Error when two tensors have one name.
    Checkpoint(std::filesystem::path, std::string container, std::vector<CheckpointTensor>,
               std::map<std::string, std::string> metadata = {});

    const std::filesystem::path& path() const { return path_; }
    const std::string& container() const { return container_; }  ///< "safetensors", "pytorch zip", ...
    const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
    const CheckpointTensor* find(std::string_view name) const;
    /// The text entries of a safetensors header.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

  private:
    std::filesystem::path path_;
    std::string container_;
    std::vector<CheckpointTensor> tensors_;
    std::map<std::string, std::size_t, std::less<>> by_name_;
    std::map<std::string, std::string> metadata_;
};

/// "NAME: expected [8, 3] of real numbers, found ...".
std::string difference(const std::string& name, const Shape& expected, const CheckpointTensor& found);

/// For messages: text from a file of unknown origin, cut to 120 bytes, with what is not printable ASCII escaped.
std::string shown(std::string_view);

}  // namespace karyon
