#include "models/model.h"

#include <set>

namespace karyon {
namespace {

LocalGlobalUnet seeded_network(const UnetOptions& options, std::uint64_t seed) {
    Random random(seed, 0);
    return LocalGlobalUnet(options, random);
}

const Tensor& flat_of(const Arena::Entry& entry, const Tensor& values, const Tensor& buffers) {
    return entry.kind == StateKind::parameter ? values : buffers;
}

}  // namespace

Model::Model(const ModelDescription& d, std::uint64_t seed, Device device)
    : description(d),
      network(seeded_network(d.network, seed)),
      arena([this](const StateVisitor& visitor) { network.visit("", visitor); }, device) {}

std::unique_ptr<Model> Model::load(const std::filesystem::path& path, Device device) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    const auto text = file.metadata().find(kDescriptionKey);
    if (text == file.metadata().end())
        throw Error(path.string(), "expected a checkpoint of karyon (metadata \"{}\"), found none", kDescriptionKey);
    const UndefinedWeights undefined;
    auto model = std::make_unique<Model>(description_from_json(text->second, path.string()), 0, device);
    model->load_state(file, path);
    return model;
}

void Model::save(const std::filesystem::path& path, const Tensor& values, const Tensor& buffers) const {
    const Tensor host_values = values.to(Device{}), host_buffers = buffers.to(Device{});
    write_safetensors(path, state_items(arena, host_values, host_buffers), {{kDescriptionKey, to_json(description)}});
}

void Model::load_state(const SafetensorsFile& file, const std::filesystem::path& path) {
    read_state(file, path, arena, arena.values(), arena.buffers());
}

std::vector<SafetensorsItem> state_items(const Arena& arena, const Tensor& values, const Tensor& buffers,
                                         const std::string& prefix) {
    std::vector<SafetensorsItem> items;
    for (const Arena::Entry& entry : arena.entries())
        items.push_back(
            {prefix + entry.name, DType::f32, entry.shape, arena.part(flat_of(entry, values, buffers), entry).raw()});
    return items;
}

void read_state(const SafetensorsFile& file, const std::filesystem::path& path, const Arena& arena,
                const Tensor& values, const Tensor& buffers, const std::string& prefix) {
    std::string missing, misshaped, unexpected;
    std::set<std::string> known;
    for (const Arena::Entry& entry : arena.entries()) {
        const std::string name = prefix + entry.name;
        known.insert(name);
        if (!file.contains(name)) {
            if (missing.empty()) missing = fmt::format("; first missing: {}", name);
        } else if (const SafetensorsEntry& found = file.entry(name);
                   found.shape != entry.shape || found.dtype != DType::f32) {
            if (misshaped.empty())
                misshaped = fmt::format("; first mis-shaped: {}, expected f32 {}, found {} {}", name,
                                        to_string(entry.shape), name_of(found.dtype), to_string(found.shape));
        }
    }
    for (const SafetensorsEntry& entry : file.entries())
        if (unexpected.empty() && entry.name.starts_with(prefix) && !known.contains(entry.name))
            unexpected = fmt::format("; first unexpected: {}", entry.name);
    if (!missing.empty() || !misshaped.empty() || (prefix.empty() && !unexpected.empty()))
        throw Error(path.string(), "expected the tensors of this network{}{}{}", missing, unexpected, misshaped);
    for (const Arena::Entry& entry : arena.entries()) {
        arena.part(flat_of(entry, values, buffers), entry).copy_from_bytes(file.bytes(prefix + entry.name));
    }
}

}  // namespace karyon
