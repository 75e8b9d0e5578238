#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "data/dataset.h"
#include "data/draw_overlay.h"
#include "data/image_io.h"
#include "data/metrics.h"
#include "tools/ahead.h"
#include "tools/command.h"
#include "tools/progress.h"
#include "tools/segment.h"

namespace karyon::tools {
namespace {

constexpr std::size_t panel_rows = 4;

struct Options {
    std::string data, split, panel;
    bool json = false;
    std::unique_ptr<Segmenter> segmenter;
};

struct Prepared {
    Case item;
    PreparedImage image;
};

constexpr const char* example = R"(Example:
  karyon evaluate --model RUN/best.safetensors --data DIR --split test.txt --panel panel.png

Dice and IoU of every image, then over the split. 'per-image Dice' is the mean over images and the figure to compare
with published ones; 'pooled' counts the pixels of all images together. Organs are called seen when the model was trained
on images of them. --panel draws input, truth, prediction and errors of the best and the worst images.)";

/// Up to four images: the best and the worst by Dice, best first.
std::vector<std::size_t> shown_images(const Scores& scores) {
    std::vector<std::size_t> order(scores.images().size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return scores.images()[i].counts.dice(); });
    if (order.size() > panel_rows)
        order.erase(order.begin() + panel_rows / 2, order.end() - std::ptrdiff_t(panel_rows / 2));
    return order;
}

Image draw_panel(const DataFolder& folder, const Scores& scores, const std::vector<Mask>& predictions) {
    std::vector<std::vector<Panel>> rows;
    for (const std::size_t i : shown_images(scores)) {
        const ImageScore& score = scores.images()[i];
        const Case item = folder.read_case(score.name, score.organ);
        rows.push_back(
            {{item.image, score.name},
             {picture_of(item.mask), "truth" + (score.organ.empty() ? "" : ": " + score.organ)},
             {picture_of(predictions[i]), "prediction"},
             {overlay(item.image, predictions[i], item.mask), fmt::format("Dice {:.3f}", score.counts.dice())}});
    }
    return arrange(rows, 320, true);
}

void run(const Options& options) {
    const DataFolder folder(options.data);
    const Split split = read_split(options.split);
    folder.find_images(split);
    options.segmenter->load();
    const auto& organs = options.segmenter->model().description.organs;
    Scores scores(split.name, {organs.begin(), organs.end()});
    std::vector<Mask> predictions;
    Progress progress("image", std::int64_t(split.entries.size()));
    Ahead<Prepared> cases(split.entries.size(), [&](std::size_t i) {
        Case item = folder.read_case(split.entries[i].name, split.entries[i].organ);
        PreparedImage image = options.segmenter->prepare(item.image);
        return Prepared{std::move(item), std::move(image)};
    });
    for (std::size_t i = 0; i < split.entries.size(); ++i) {
        const auto [item, image] = cases.next();
        const Probability probability = (*options.segmenter)(image);
        if (!image.warning.empty())
            progress.message(fmt::format("warning: {} is not stain-normalised: {}", item.name, image.warning));
        const Mask& mask = predictions.emplace_back(threshold(probability, options.segmenter->level()));
        const ImageScore& score = scores.add(item.name, item.organ, item.mask, mask);
        progress.update(std::int64_t(predictions.size()),
                        fmt::format("{}  Dice {:.4f}", score.name, score.counts.dice()));
    }
    progress.clear();
    fmt::print("{}\n", options.json ? scores.to_json() : scores.to_text());
    if (!options.panel.empty()) write_png(options.panel, draw_panel(folder, scores, predictions));
}

}  // namespace

void add_evaluate(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("evaluate", "Measure a trained network on images with a known truth");
    command->footer(example);
    command->add_option("--data", options->data, "folder of images and what was drawn on them")
        ->required()
        ->type_name("DIR");
    command->add_option("--split", options->split, "text file of the names to measure on")
        ->required()
        ->type_name("FILE");
    command->add_option("--panel", options->panel, "picture of the best and the worst images")->type_name("OUT.png");
    add_json(*command, options->json);
    options->segmenter = std::make_unique<Segmenter>(*command);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
