#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "models/predictor.h"
#include "tools/config_flags.h"

namespace karyon::tools {

/// The options by which predict and evaluate run a model: --model, --config, those of the [predict] section, --device,
/// --precision, --threads.
class Segmenter {
  public:
    explicit Segmenter(CLI::App&);

    /// Loads the model. Where neither flags nor config say otherwise: the model's threshold, and tiles that overlap by
    /// a quarter with Gaussian weights.
    void load();

    /// What can be done on another thread while the network is at work, see Predictor::prepare.
    PreparedImage prepare(const Image& image) const { return predictor_->prepare(image); }
    Probability operator()(const PreparedImage& image) const { return (*predictor_)(image, options_); }

    const Model& model() const { return *model_; }
    float level() const { return level_; }

  private:
    std::string path_, device_, precision_;
    int threads_ = 0;
    ConfigFlags config_;
    std::unique_ptr<Model> model_;
    std::unique_ptr<Predictor> predictor_;  ///< of model_
    PredictOptions options_;
    float level_ = 0.5f;
};

}  // namespace karyon::tools
