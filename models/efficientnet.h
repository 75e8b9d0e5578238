#pragma once

#include <string>
#include <vector>

#include "layers/mbconv.h"

namespace karyon {

/// EfficientNet by compound scaling (Tan & Le 2019): width and depth of the members B0 to B7; and EfficientNet-Lite
/// (Liu 2020), which has ReLU6 for SiLU, no squeeze-and-excitation, and does not scale stem, head, and the number of
/// blocks in the first and last stage.
struct EfficientNetOptions {
    std::string member = "b4";  ///< "b0" ... "b7", "lite0" ... "lite4"
    int in_channels = 3;
    PaddingKind padding = PaddingKind::same;
    /// > 0: SAME padding is worked out once, for images of this side, and kept for all others, as lukemelas' and smp's
    /// networks do (380 for their B4). Only for images whose sides are multiples of 32.
    int padding_size = 0;
    BatchNormOptions batch_norm{1e-3f, 0.01f};
    float drop_connect = 0.2f;  ///< at the last block, growing linearly from 0 at the first
    bool head = false;          ///< the last 1x1 convolution, to 1280 * width channels
    int classes = 0;            ///< with a head: > 0 adds the classifier
};

/// One stage of the network, already scaled.
struct EfficientNetStage {
    int repeats, kernel, stride, expand, in, out;
};

/// Every member there is, in order of size.
const std::vector<std::string>& efficientnet_members();
bool efficientnet_is_lite(const std::string& member);
/// Channels rounded to a multiple of 8, never below 90 % of what was asked for.
int scaled_channels(int channels, double width);
std::vector<EfficientNetStage> efficientnet_stages(const std::string& member);
int efficientnet_stem_channels(const std::string& member);
int efficientnet_head_channels(const std::string& member);

class EfficientNet {
  public:
    /// What a U-Net may take: the stem's output, every stage's output, and the activation after the expansion of every
    /// stage's first block (undefined for stage 1, which has none); index 0 is stage 1.
    struct Features {
        Tensor stem;
        std::vector<Tensor> stages, expansions;
        Tensor head;  ///< undefined without a head
    };

    EfficientNet() = default;
    EfficientNet(const EfficientNetOptions&, Random&);

    /// x [n,h,w,in_channels], scaled as the weights expect.
    Features operator()(const Tensor& x, const Pass&) const;
    /// Mean over the pixels of the head's output, then the classifier -> [n, classes]. For inference: not recorded.
    Tensor logits(const Tensor& head) const;
    void visit(const std::string& prefix, const StateVisitor&);

    const std::vector<EfficientNetStage>& stages() const { return stages_; }
    const Conv2d& stem() const { return stem_; }
    const std::vector<MBConv>& blocks() const { return blocks_; }
    const Conv2d& head() const { return head_; }

  private:
    std::vector<EfficientNetStage> stages_;
    Conv2d stem_;
    BatchNorm stem_bn_;
    std::vector<MBConv> blocks_;
    bool has_head_ = false, lite_ = false;
    Conv2d head_;
    BatchNorm head_bn_;
    Tensor classifier_weight_, classifier_bias_;  ///< [classes, head], [classes]
};

}  // namespace karyon
