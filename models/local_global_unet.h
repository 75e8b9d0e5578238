#pragma once

#include <string>
#include <vector>

#include "layers/decoder_block.h"
#include "layers/residual.h"
#include "models/efficientnet.h"

namespace karyon {

/// What the network looks at. `local`: the 256 patch. `local_global`: the patch and the 384 window around it, resized
/// to the patch and laid beside it (the paper). `wide`: the window alone at full size, its prediction cropped to the
/// patch (the control: the same context in one view).
enum class View : unsigned char { local, local_global, wide };

/// The two public U-Nets on EfficientNet. `smp` (PyTorch): bottom is the last stage, skips are stage outputs and the
/// stem. `keras`: bottom is the head convolution, skips are the expansion activations.
enum class DecoderForm : unsigned char { smp, keras };

View parse_view(const std::string&);
std::string name_of(View);
DecoderForm parse_decoder_form(const std::string&);
std::string name_of(DecoderForm);

struct UnetOptions {
    std::string encoder = "b4";
    View view = View::local_global;
    DecoderForm decoder = DecoderForm::smp;
    PaddingKind padding = PaddingKind::same;
    int padding_size = 0;  ///< of the encoder: EfficientNetOptions::padding_size
    BatchNormOptions encoder_batch_norm{1e-3f, 0.01f};
    BatchNormOptions decoder_batch_norm{1e-5f, 0.1f};
    float drop_connect = 0.2f;
    int skip_blocks = 1;        ///< residual blocks on every skip but the one at half resolution, which has none
    bool tail = true;           ///< the views join the last decoder stage through a residual block
    bool side_outputs = false;  ///< a logit map from each of the first four decoder stages
    int local = 256;            ///< side of the patch, in pixels; a multiple of 32
    int margin = 64;            ///< what the window has around the patch on every side; 2 * margin a multiple of 32
};

/// EfficientNet encoder, U-Net decoder, and the two views of the paper.
class LocalGlobalUnet {
  public:
    struct Output {
        Tensor logits;             ///< [n, local, local, 1]
        std::vector<Tensor> side;  ///< the same shape, coarsest first; empty unless side outputs are on and training
    };

    LocalGlobalUnet(const UnetOptions&, Random&);

    /// local [n, local, local, 3] (unless the view is `wide`), global [n, local + 2 margin, local + 2 margin, 3]
    /// (unless the view is `local`), both scaled as the encoder expects. Activations are of their type, f32 or bf16;
    /// the logits are f32.
    Output operator()(const Tensor& local, const Tensor& global, const Pass&) const;
    void visit(const std::string& prefix, const StateVisitor&);

    const UnetOptions& options() const { return options_; }
    const EfficientNet& encoder() const { return encoder_; }
    bool wants_local() const { return options_.view != View::wide; }
    bool wants_global() const { return options_.view != View::local; }

  private:
    struct Skips {
        std::vector<Tensor> by_depth;  ///< /16, /8, /4, /2
        Tensor bottom;                 ///< /32
    };
    Skips skips_of(const EfficientNet::Features&, const Pass&) const;

    UnetOptions options_;
    EfficientNet encoder_;
    std::vector<ResidualChain> skip_chains_;
    std::vector<DecoderBlock> stages_;
    ResidualBlock tail_;
    std::vector<Conv2d> side_;
    Conv2d output_;
};

}  // namespace karyon
