#include "tools/segment.h"

#include "optim/trainer.h"
#include "tools/command.h"

namespace karyon::tools {

Segmenter::Segmenter(CLI::App& app) : config_(app, {"predict"}) {
    app.add_option("--model", path_, "checkpoint of karyon train")->required()->type_name("FILE.safetensors");
    add_threads(app, threads_);
}

void Segmenter::load() {
    use_threads(threads_);
    model_ = Model::load(path_);
    const ModelDescription& description = model_->description;
    TrainConfig config;
    config.data.local = description.network.local;
    config.predict = {.threshold = description.threshold,
                      .overlap = description.network.local / 4,
                      .blend = "gaussian",
                      .tta = "none"};
    config_.apply(config);
    config.data.local = description.network.local;
    check(config);
    options_ = predict_options(config);
    level_ = float(config.predict.threshold);
}

Probability Segmenter::operator()(const Image& image, std::string* warning) const {
    return Predictor(*model_)(image, options_, nullptr, warning);
}

}  // namespace karyon::tools
