#pragma once

#include "models/import/checkpoint.h"
#include "models/import/mapped_file.h"

namespace karyon {

/// One reader for each container; Checkpoint::open chooses.
Checkpoint read_safetensors(const std::filesystem::path&, const MappedFile&);
/// torch.save from version 1.6 on: a zip archive of a pickle and one entry for each storage.
Checkpoint read_pytorch_zip(const std::filesystem::path&, const MappedFile&);
/// torch.save before: five pickles, then the storages back to back.
Checkpoint read_pytorch_stream(const std::filesystem::path&, const MappedFile&);
/// Keras weights, at the root or in /model_weights; the name of a tensor is "layer/weight". In a build without HDF5 an
/// Error that says so.
Checkpoint read_hdf5(const std::filesystem::path&);

}  // namespace karyon
