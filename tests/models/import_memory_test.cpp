#include <ctime>
#include <fstream>

#include "models/import/initialise.h"
#include "tests/models/published_fixture.h"
#include "tests/tensor/temporary_folder.h"

using namespace karyon;
using namespace karyon::test;

namespace {

/// A line of /proc/self/status in bytes: VmRSS, what is in memory now; VmHWM, the most there was.
std::size_t memory(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field)) return std::stoull(line.substr(field.size() + 1)) * 1024;
    return 0;
}

/// From here on VmHWM counts from what is in memory now. False where the system does not allow it.
bool reset_peak() { return bool(std::ofstream("/proc/self/clear_refs") << 5 << std::flush); }

/// A safetensors file of EfficientNet-B4 with its head and classifier, in the names of lukemelas.
void write_b4(const std::filesystem::path& path) {
    const Checkpoint checkpoint = PublishedFixture("lukemelas_b4").checkpoint(path);
    std::vector<std::vector<float>> values;
    std::vector<SafetensorsItem> items;
    for (const CheckpointTensor& tensor : checkpoint.tensors()) {
        if (tensor.type != ElementType::f32) continue;
        values.emplace_back(std::size_t(element_count(tensor.shape)));
        tensor.read(values.back());
        items.push_back({tensor.name, DType::f32, tensor.shape, values.back().data()});
    }
    write_safetensors(path, items);
}

}  // namespace

// Sanitizers keep what was freed.
#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("published: B4 loads in less than a second and 1.5 times the size of its file") {
    const TemporaryFolder folder;
    const auto path = folder / "efficientnet-b4.safetensors";
    write_b4(path);
    if (!reset_peak()) return;
    const std::size_t before = memory("VmRSS:");
    const std::clock_t start = std::clock();
    const EfficientNet network = load_encoder(PublishedEncoder::open(path));
    // Of the processor: what else runs beside the tests does not count.
    const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
    const double ratio = double(memory("VmHWM:") - before) / double(std::filesystem::file_size(path));
    MESSAGE("B4: ", seconds, " s, ", ratio, " times its file in memory");
    CHECK(seconds < 1);
    CHECK(ratio < 1.5);
}
#endif
