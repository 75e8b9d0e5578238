#pragma once

#include <functional>
#include <memory>

#include "models/import/checkpoint.h"
#include "models/import/pickle.h"

namespace karyon {

/// A run of elements in a PyTorch file, which tensors look at by offset and strides.
struct TorchStorage {
    std::string key;
    ElementType type = ElementType::f32;
    std::uint64_t elements = 0;
};

/// Elements [first, first + count) of a storage; `unpacked` may hold them where they do not stand in the file as such.
using StorageBytes = std::function<std::span<const std::byte>(const TorchStorage&, std::uint64_t first,
                                                              std::size_t count, std::vector<std::byte>& unpacked)>;

/// The tensors of the state dict in a pickle: its root, or the value of "state_dict", "model_state_dict", "model"...
/// Entries that are no tensors are left out. `check` sees the storage of every tensor and throws Error where
/// the file does not hold it.
std::vector<CheckpointTensor> state_dict_tensors(const std::string& file, const Pickle&,
                                                 const std::function<void(const TorchStorage&)>& check,
                                                 const StorageBytes&);

/// ('storage', torch.FloatStorage, key, device, elements[, view]). Throws Error for anything else.
TorchStorage torch_storage(const std::string& file, const Pickle&, const PickleValue& persistent);

}  // namespace karyon
