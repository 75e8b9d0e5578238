#pragma once

#include <memory>
#include <optional>

#include "models/import/published_encoder.h"
#include "models/model.h"

namespace karyon {

/// A whole U-Net on an EfficientNet, as segmentation_models_pytorch (smp) or Keras' segmentation_models save it: one
/// class, the default decoder.
class PublishedUnet {
  public:
    /// None where the checkpoint of the encoder has no decoder beside it. smp works SAME padding out for the member's
    /// own image size: so does this, unless the encoder was opened with a padding size. Throws Error where the source
    /// is not known, or the decoder has another form. The encoder must outlive the result.
    static std::optional<PublishedUnet> find(const PublishedEncoder&);
    static std::optional<PublishedUnet> find(PublishedEncoder&&) = delete;

    const ModelDescription& description() const { return description_; }
    const std::vector<std::string>& missing() const { return missing_; }
    const std::vector<std::string>& misshaped() const { return misshaped_; }
    const std::vector<std::string>& unused() const { return unused_; }

    /// Throws Error naming the first tensor that is missing or of another shape.
    std::unique_ptr<Model> load() const;

  private:
    explicit PublishedUnet(const PublishedEncoder&, DecoderForm, std::string prefix);
    void compare();

    const PublishedEncoder& encoder_;
    Dialect layout_;
    std::string prefix_;  ///< of decoder and head
    ModelDescription description_;
    std::vector<std::string> missing_, misshaped_, unused_;
};

}  // namespace karyon
