#include "data/synth.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "data/image_io.h"
#include "data/labels.h"
#include "kernels/error.h"
#include "tensor/atomic_file.h"
#include "tools/command.h"
#include "tools/progress.h"

namespace karyon::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
    std::string out;
    int images = 8, size = 512;
    std::uint64_t seed = 1;
    SynthConfig config;
    int threads = 0;
    bool json = false;
};

constexpr const char* example = R"(Example, a set of 16 images and its split 12 + 4:
  karyon synth --out demo --images 16 --size 384 --seed 1

Writes images/, masks/ (0 and 255), labels/ (16-bit numbers), splits/train.txt and splits/test.txt, and stains.json
with the stain vectors that each image was made with.)";

void write_text(const fs::path& path, const std::string& text) {
    AtomicFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

Json stains_json(const StainModel& stains) {
    const auto vector = [](const float* v) { return Json{v[0], v[1], v[2]}; };
    return {{"hematoxylin", vector(stains.stains[0])},
            {"eosin", vector(stains.stains[1])},
            {"max_concentration", {stains.max_concentration[0], stains.max_concentration[1]}}};
}

void run(const Options& options) {
    use_threads(options.threads);
    const fs::path out = options.out;
    for (const char* folder : {"images", "masks", "labels", "splits"}) make_folder(out / folder);
    SynthConfig config = options.config;
    config.width = config.height = options.size;
    Json stains;
    std::string train, test;
    std::int64_t nuclei = 0;
    const int training_images = options.images - options.images / 4;
    Progress progress("image", options.images);
    for (int i = 0; i < options.images; ++i) {
        const std::string name = fmt::format("synth-{:04}", i + 1);
        // Seeds of one set are words apart, so that sets of neighbouring seeds share no image.
        const SynthImage made = make_synthetic(config, options.seed * 0x9e3779b97f4a7c15u + std::uint64_t(i));
        write_png(out / "images" / (name + ".png"), made.image);
        write_mask(out / "masks" / (name + ".png"), made.mask);
        write_labels(out / "labels" / (name + ".png"), made.labels);
        stains[name] = stains_json(made.stains);
        nuclei += made.labels.ids.empty() ? 0 : *std::max_element(made.labels.ids.begin(), made.labels.ids.end());
        (i < training_images ? train : test) += name + " synthetic\n";
        progress.update(i + 1);
    }
    progress.clear();
    write_text(out / "stains.json", stains.dump(2) + "\n");
    write_text(out / "splits" / "train.txt", train);
    if (!test.empty()) write_text(out / "splits" / "test.txt", test);
    if (options.json)
        fmt::print("{}\n", Json{{"out", out.string()}, {"images", options.images}, {"nuclei", nuclei}}.dump(2));
    else
        fmt::print("{} images of {}x{} with {} nuclei in {}\n", options.images, options.size, options.size, nuclei,
                   out.string());
}

}  // namespace

void add_synth(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("synth", "Make synthetic H&E images with known nuclei and stains");
    command->footer(example);
    command->add_option("--out", options->out, "data folder to write")->required()->type_name("DIR");
    command->add_option("--images", options->images, "how many")->check(CLI::Range(1, 9999))->capture_default_str();
    command->add_option("--size", options->size, "width and height in pixels")
        ->check(CLI::Range(16, 8192))
        ->capture_default_str();
    command->add_option("--seed", options->seed, "another seed, other images")->capture_default_str();
    command->add_option("--density", options->config.density, "nuclei tried per 100x100 pixels")
        ->check(CLI::Range(0.0, 100.0))
        ->capture_default_str();
    command->add_option("--radius", options->config.radius, "mean radius of a nucleus in pixels")
        ->check(CLI::Range(2.0, 60.0))
        ->capture_default_str();
    add_threads(*command, options->threads);
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
