#include "models/import/classify.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/image_io.h"
#include "kernels/error.h"
#include "models/import/initialise.h"
#include "tools/command.h"
#include "tools/encoder_hints.h"

namespace karyon::tools {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
    std::string checkpoint, labels;
    std::vector<std::string> images;
    EncoderHints hints;
    int size = 0, top = 5, threads = 0;
    bool json = false;
};

constexpr const char* example = R"(Examples:
  karyon classify tf_efficientnet_b4_ns-d6313a46.pth cat.jpg dog.jpg
  karyon classify model.safetensors --source timm --labels imagenet.txt --json cat.jpg

Shows with one's own eyes that a published checkpoint was read as it was meant. Classes are numbered from 0 in the order
of ImageNet (281 is a tabby cat); --labels names a text file with one class a line.)";

std::vector<std::string> read_labels(const std::string& path) {
    std::vector<std::string> labels;
    if (path.empty()) return labels;
    std::ifstream file(path);
    if (!file) throw Error(path, "expected a text file of labels, found none that can be read");
    for (std::string line; std::getline(file, line);) labels.push_back(line);
    return labels;
}

void run(const Options& options) {
    use_threads(options.threads);
    const std::vector<std::string> labels = read_labels(options.labels);
    const PublishedEncoder encoder = PublishedEncoder::open(options.checkpoint, options.hints);
    const EncoderDescription& description = encoder.description();
    const EfficientNet network = load_encoder(encoder);
    if (!labels.empty() && int(labels.size()) != description.network.classes)
        throw Error(options.labels, "expected {} lines, one for each class, found {}", description.network.classes,
                    labels.size());
    const int size = options.size ? options.size : native_size(description.network.member);
    Json list = Json::array();
    for (const std::string& path : options.images) {
        const auto scores = classify(network, description, centre_crop(read_image(path), size), options.top);
        Json classes = Json::array();
        if (!options.json) fmt::print("{}\n", path);
        for (const ClassScore& score : scores) {
            const std::string label = labels.empty() ? "" : labels[std::size_t(score.index)];
            if (!options.json) fmt::print("  {:5.1f} %  {:4}  {}\n", 100 * score.probability, score.index, label);
            Json entry{{"class", score.index}, {"probability", score.probability}, {"logit", score.logit}};
            if (!labels.empty()) entry["label"] = label;
            classes.push_back(entry);
        }
        list.push_back({{"image", path}, {"classes", classes}});
    }
    if (options.json) {
        const Json json{{"model", "efficientnet_" + description.network.member},
                        {"source", description.source},
                        {"size", size},
                        {"images", list}};
        fmt::print("{}\n", json.dump(2, ' ', false, Json::error_handler_t::replace));
    }
}

}  // namespace

void add_classify(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("classify", "Run a published ImageNet network on pictures");
    command->footer(example);
    command->add_option("FILE", options->checkpoint, "checkpoint: safetensors, .pth or .h5")->required();
    command->add_option("IMAGES", options->images, "TIFF, PNG or JPEG")->required();
    command->add_option("--size", options->size, "side of the square that the network sees; 0: as published")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    command->add_option("--top", options->top, "classes to show")->check(CLI::Range(1, 1000000))->capture_default_str();
    command->add_option("--labels", options->labels, "names of the classes, one a line")->type_name("FILE");
    add_encoder_hints(*command, options->hints);
    add_threads(*command, options->threads);
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
