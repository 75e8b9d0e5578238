#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "data/image_io.h"
#include "data/stain.h"
#include "kernels/error.h"
#include "tools/command.h"
#include "tools/progress.h"

namespace karyon::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
    std::string out, target;
    std::vector<std::string> inputs;
    int threads = 0;
    bool json = false;
};

constexpr const char* example = R"(Example, a folder of images with the colours of one of them:
  karyon normalize --out normalized --target reference.tif images

Macenko's method: the stain vectors of each image are estimated once, over the whole of it. An image that has too little
stained tissue to tell is written as it is, with a warning.)";

Json to_json(const fs::path& written, const StainModel& stains) {
    const auto vector = [](const float* v) { return Json{v[0], v[1], v[2]}; };
    return {{"file", written.string()},
            {"hematoxylin", vector(stains.stains[0])},
            {"eosin", vector(stains.stains[1])},
            {"max_concentration", {stains.max_concentration[0], stains.max_concentration[1]}},
            {"fallback", stains.fallback ? Json(stains.fallback) : Json()}};
}

std::string to_text(const fs::path& written, const StainModel& stains) {
    const auto vector = [](const float* v) { return fmt::format("{:.3f} {:.3f} {:.3f}", v[0], v[1], v[2]); };
    return fmt::format("{}: hematoxylin {} (up to {:.2f}), eosin {} (up to {:.2f})", written.string(),
                       vector(stains.stains[0]), stains.max_concentration[0], vector(stains.stains[1]),
                       stains.max_concentration[1]);
}

StainModel target_stains(const std::string& path) {
    if (path.empty()) return reference_stains();
    const StainModel target = estimate_stains(read_image(path));
    if (target.fallback) throw Error(path, "expected a target with two stains, got: {}", target.fallback);
    return target;
}

void run(const Options& options) {
    use_threads(options.threads);
    const std::vector<fs::path> inputs = list_images(options.inputs);
    check_distinct_names(inputs);
    const StainModel target = target_stains(options.target);
    make_folder(options.out);
    Json report = Json::array();
    Progress progress("image", std::int64_t(inputs.size()));
    for (const fs::path& input : inputs) {
        const Image image = read_image(input);
        const StainModel stains = estimate_stains(image);
        const fs::path written = fs::path(options.out) / (input.stem().string() + ".png");
        write_png(written, normalise(image, stains, target));
        if (stains.fallback)
            progress.message(fmt::format("warning: {} is not normalised: {}", input.string(), stains.fallback));
        report.push_back(to_json(written, stains));
        if (!options.json) {
            progress.clear();
            fmt::print("{}\n", to_text(written, stains));
        }
        progress.update(std::int64_t(report.size()));
    }
    progress.clear();
    if (options.json) fmt::print("{}\n", report.dump(2));
}

}  // namespace

void add_normalize(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("normalize", "Bring images to the stain colours of one target");
    command->footer(example);
    command->add_option("--out", options->out, "folder for NAME.png")->required()->type_name("DIR");
    command->add_option("--target", options->target, "image whose stains to take [the common reference]")
        ->type_name("IMAGE");
    command->add_option("INPUT", options->inputs, "images, folders, patterns")->required();
    add_threads(*command, options->threads);
    add_json(*command, options->json);
    command->callback([options] { run(*options); });
}

}  // namespace karyon::tools
