#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "data/draw_overlay.h"
#include "data/image_io.h"
#include "data/labels.h"
#include "tools/command.h"
#include "tools/progress.h"
#include "tools/segment.h"

namespace karyon::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
    std::string out;
    std::vector<std::string> inputs;
    bool probability = false, json = false;
    std::unique_ptr<Segmenter> segmenter;
};

constexpr const char* example = R"(Examples:
  karyon predict --model RUN/best.safetensors --out masks slide.tif more_images 'scans/*.png'
  karyon predict --model RUN/best.safetensors --config RUN/config.toml --out masks images

Writes NAME.mask.png (0 and 255, the input's size) and NAME.overlay.png for every input, and NAME.prob.png (0 to 255) with
--probability. The second form uses the tiling and test-time augmentation of the training recipe. An input that cannot
be read is reported, the others are still done, and the exit status is 1.)";

void write_probability(const fs::path& path, const Probability& probability) {
    std::vector<std::uint8_t> gray(probability.values.size());
    std::ranges::transform(probability.values, gray.begin(),
                           [](float p) { return std::uint8_t(std::lround(std::clamp(p, 0.f, 1.f) * 255)); });
    write_png(path, probability.width, probability.height, gray);
}

/// Segments one image and says what was written.
Json segment(const Options& options, const fs::path& input, std::string* warning) {
    const auto start = std::chrono::steady_clock::now();
    const Image image = read_image(input);
    const Probability probability = (*options.segmenter)(image, warning);
    const Mask mask = threshold(probability, options.segmenter->level());
    const auto output = [&](const char* kind) { return fs::path(options.out) / (input.stem().string() + kind); };
    if (options.probability) write_probability(output(".prob.png"), probability);
    write_png(output(".overlay.png"), overlay(image, mask));
    write_mask(output(".mask.png"), mask);
    const auto nuclei = std::ranges::count_if(mask.pixels, [](std::uint8_t value) { return value != 0; });
    return {{"input", input.string()},
            {"mask", output(".mask.png").string()},
            {"overlay", output(".overlay.png").string()},
            {"width", image.width},
            {"height", image.height},
            {"nucleus_share", double(nuclei) / double(mask.pixels.size())},
            {"seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()}};
}

void run(const Options& options) {
    const std::vector<fs::path> inputs = list_images(options.inputs);
    check_distinct_names(inputs);
    options.segmenter->load();
    make_folder(options.out);
    Json report = Json::array();
    std::int64_t done = 0, failed = 0;
    Progress progress("image", std::int64_t(inputs.size()));
    for (const fs::path& input : inputs) {
        try {
            std::string warning;
            const Json line = report.emplace_back(segment(options, input, &warning));
            if (!warning.empty())
                progress.message(fmt::format("warning: {} is not stain-normalised: {}", input.string(), warning));
            if (!options.json) {
                progress.clear();
                fmt::print("{}  {}x{}  nuclei {:.1f} %  {:.1f} s\n", line["mask"].get<std::string>(),
                           line["width"].get<int>(), line["height"].get<int>(),
                           100 * line["nucleus_share"].get<double>(), line["seconds"].get<double>());
            }
        } catch (const Error& error) {
            ++failed;
            progress.message(fmt::format("karyon: {}", error.what()));
        }
        progress.update(++done);
    }
    progress.clear();
    if (options.json) fmt::print("{}\n", report.dump(2));
    if (failed) throw Error("predict", "expected {} images to be segmented, got {} that failed", inputs.size(), failed);
}

}  // namespace

void add_predict(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("predict", "Segment images with a trained network");
    command->footer(example);
    command->add_option("--out", options->out, "folder for the pictures")->required()->type_name("DIR");
    command->add_option("INPUT", options->inputs, "images, folders, patterns")->required();
    command->add_flag("--probability", options->probability, "also write NAME.prob.png");
    add_json(*command, options->json);
    options->segmenter = std::make_unique<Segmenter>(*command);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
