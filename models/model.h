#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/patches.h"
#include "data/stain.h"
#include "layers/arena.h"
#include "models/local_global_unet.h"
#include "tensor/safetensors.h"

namespace karyon {

/// All that is needed to run a trained network on a new image; stored as JSON in the checkpoint's metadata.
struct ModelDescription {
    UnetOptions network;
    InputScaling scaling;
    std::optional<StainModel> stain_target;  ///< none: images are taken as they are
    std::vector<std::string> organs;         ///< what it was trained on
    std::string trained_on;                  ///< the name of the split
    float threshold = 0.5f;
};

std::string to_json(const ModelDescription&);
/// Throws Error naming `where` and the field.
ModelDescription description_from_json(const std::string& text, const std::string& where);

/// A network with its parameters in an arena, and what it was made for.
class Model {
  public:
    /// The same initial weights on every device.
    Model(const ModelDescription&, std::uint64_t seed, Device = {});

    /// Reads a checkpoint of karyon. Throws Error where it is none, or holds other tensors than its description needs.
    static std::unique_ptr<Model> load(const std::filesystem::path&, Device = {});
    /// Writes the values and buffers given (of the arena's layout: the current ones, or averages of them).
    void save(const std::filesystem::path&, const Tensor& values, const Tensor& buffers) const;

    /// Copies parameters and buffers from a checkpoint whose tensors must be those of this network, by name and shape.
    void load_state(const SafetensorsFile&, const std::filesystem::path&);

    Device device() const { return arena.values().device(); }

    const ModelDescription description;
    LocalGlobalUnet network;
    Arena arena;
};

/// Key of the description in a checkpoint's metadata.
inline constexpr const char* kDescriptionKey = "karyon.model";

/// The tensors of `arena` as entries of a checkpoint, with the elements taken from `values` and `buffers`, which are in
/// host memory and must outlive them.
std::vector<SafetensorsItem> state_items(const Arena&, const Tensor& values, const Tensor& buffers,
                                         const std::string& prefix = "");
/// The way back. Throws Error naming the first missing, unexpected and mis-shaped tensor; writes nothing in that case.
void read_state(const SafetensorsFile&, const std::filesystem::path&, const Arena&, const Tensor& values,
                const Tensor& buffers, const std::string& prefix = "");

}  // namespace karyon
