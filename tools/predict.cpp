#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "data/draw_overlay.h"
#include "data/image_io.h"
#include "data/labels.h"
#include "tools/ahead.h"
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

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// An image on its way: read on one thread, segmented on another, written on a third, so that the network has no need
/// to wait.
struct Item {
    fs::path input;
    Image image;
    PreparedImage prepared;
    Probability probability;
    double seconds = 0;  ///< of work, without waiting for the next thread
};

Item read(const Options& options, const fs::path& input) {
    const auto start = std::chrono::steady_clock::now();
    Item item{input, read_image(input), {}, {}};
    item.prepared = options.segmenter->prepare(item.image);
    item.seconds += seconds_since(start);
    return item;
}

void segment(const Options& options, Item& item) {
    const auto start = std::chrono::steady_clock::now();
    item.probability = (*options.segmenter)(item.prepared);
    item.prepared.image = Image();
    item.seconds += seconds_since(start);
}

/// Says what was written.
Json write(const Options& options, const Item& item) {
    const auto start = std::chrono::steady_clock::now();
    const Mask mask = threshold(item.probability, options.segmenter->level());
    const auto output = [&](const char* kind) { return fs::path(options.out) / (item.input.stem().string() + kind); };
    if (options.probability) write_probability(output(".prob.png"), item.probability);
    write_png(output(".overlay.png"), overlay(item.image, mask));
    write_mask(output(".mask.png"), mask);
    const auto nuclei = std::ranges::count_if(mask.pixels, [](std::uint8_t value) { return value != 0; });
    return {{"input", item.input.string()},
            {"mask", output(".mask.png").string()},
            {"overlay", output(".overlay.png").string()},
            {"width", item.image.width},
            {"height", item.image.height},
            {"nucleus_share", double(nuclei) / double(mask.pixels.size())},
            {"seconds", item.seconds + seconds_since(start)}};
}

void print(const Json& line) {
    fmt::print("{}  {}x{}  nuclei {:.1f} %  {:.1f} s\n", line["mask"].get<std::string>(), line["width"].get<int>(),
               line["height"].get<int>(), 100 * line["nucleus_share"].get<double>(), line["seconds"].get<double>());
}

void run(const Options& options) {
    const std::vector<fs::path> inputs = list_images(options.inputs);
    check_distinct_names(inputs);
    options.segmenter->load();
    make_folder(options.out);
    Json report = Json::array();
    std::int64_t failed = 0;
    Progress progress("image", std::int64_t(inputs.size()));
    const auto attempt = [&](const auto& task) {
        try {
            task();
        } catch (const Error& error) {
            ++failed;
            progress.message(fmt::format("karyon: {}", error.what()));
        }
    };
    Ahead<Item> items(inputs.size(), [&](std::size_t i) { return read(options, inputs[i]); });
    std::future<Json> written;
    const auto finish_written = [&] {
        if (!written.valid()) return;
        attempt([&] {
            const Json& line = report.emplace_back(written.get());
            progress.clear();
            if (!options.json) print(line);
        });
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        attempt([&] {
            Item item = items.next();
            segment(options, item);
            if (const std::string& warning = item.prepared.warning; !warning.empty())
                progress.message(fmt::format("warning: {} is not stain-normalised: {}", item.input.string(), warning));
            finish_written();
            written =
                std::async(std::launch::async, [&options, item = std::move(item)] { return write(options, item); });
        });
        progress.update(std::int64_t(i + 1));
    }
    finish_written();
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
