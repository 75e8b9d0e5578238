#include "tools/segment.h"

#include "optim/trainer.h"
#include "tools/command.h"

namespace karyon::tools {

Segmenter::Segmenter(CLI::App& app) : config_(app, {"predict"}) {
    app.add_option("--model", path_, "checkpoint of karyon train")->required()->type_name("FILE.safetensors");
    app.add_option("--device", device_, "where the network runs: cpu, cuda, cuda:NUMBER")->type_name("DEVICE");
    app.add_option("--precision", precision_, "of the activations; bf16 needs a GPU, or AVX512-BF16")
        ->check(CLI::IsMember({"fp32", "bf16"}));
    add_threads(app, threads_);
}

void Segmenter::load() {
    use_threads(threads_);
    TrainConfig config;
    config_.apply(config);
    if (!device_.empty()) config.device = device_;
    if (!precision_.empty()) config.precision = precision_;
    model_ = Model::load(path_, parse_device(config.device));
    predictor_ = std::make_unique<Predictor>(*model_);
    const ModelDescription& description = model_->description;
    config.predict = {.threshold = description.threshold,
                      .overlap = description.network.local / 4,
                      .blend = "gaussian",
                      .tta = "none"};
    TrainConfig asked = config;
    config_.apply(asked);
    config.predict = asked.predict;
    config.data.local = description.network.local;
    check(config);
    options_ = predict_options(config);
    if (const std::string warning = precision_warning(config); !warning.empty()) fmt::print(stderr, "{}\n", warning);
    level_ = float(config.predict.threshold);
}

}  // namespace karyon::tools
