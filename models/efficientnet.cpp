#include "models/efficientnet.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "layers/conv_norm.h"
#include "tensor/ops/relu6.h"

namespace karyon {
namespace {

struct Member {
    const char* name;
    double width, depth;
    bool lite = false;
};
constexpr std::array<Member, 13> kMembers{{{"b0", 1.0, 1.0},
                                           {"b1", 1.0, 1.1},
                                           {"b2", 1.1, 1.2},
                                           {"b3", 1.2, 1.4},
                                           {"b4", 1.4, 1.8},
                                           {"b5", 1.6, 2.2},
                                           {"b6", 1.8, 2.6},
                                           {"b7", 2.0, 3.1},
                                           {"lite0", 1.0, 1.0, true},
                                           {"lite1", 1.0, 1.1, true},
                                           {"lite2", 1.1, 1.2, true},
                                           {"lite3", 1.2, 1.4, true},
                                           {"lite4", 1.4, 1.8, true}}};
constexpr int kStem = 32, kHead = 1280;

/// B0: repeats, kernel, stride, expand, in, out of the seven stages (Tan & Le 2019, table 1).
constexpr std::array<EfficientNetStage, 7> kBaseline{{{1, 3, 1, 1, 32, 16},
                                                      {2, 3, 2, 6, 16, 24},
                                                      {2, 5, 2, 6, 24, 40},
                                                      {3, 3, 2, 6, 40, 80},
                                                      {3, 5, 1, 6, 80, 112},
                                                      {4, 5, 2, 6, 112, 192},
                                                      {1, 3, 1, 6, 192, 320}}};

const Member& member_of(const std::string& name) {
    for (const Member& member : kMembers)
        if (name == member.name) return member;
    throw Error("efficientnet", "expected a member b0 ... b7 or lite0 ... lite4, got {}", name);
}

/// SAME padding of a stride of 2 for a side: an odd one is padded alike on both sides.
PaddingKind fixed_padding(PaddingKind padding, int side) {
    return padding == PaddingKind::same && side % 2 != 0 ? PaddingKind::symmetric : padding;
}

}  // namespace

const std::vector<std::string>& efficientnet_members() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Member& member : kMembers) list.emplace_back(member.name);
        return list;
    }();
    return names;
}

bool efficientnet_is_lite(const std::string& member) { return member_of(member).lite; }

int scaled_channels(int channels, double width) {
    const double wanted = channels * width;
    int rounded = std::max(8, int(wanted + 4) / 8 * 8);
    if (rounded < 0.9 * wanted) rounded += 8;
    return rounded;
}

std::vector<EfficientNetStage> efficientnet_stages(const std::string& name) {
    const Member& member = member_of(name);
    std::vector<EfficientNetStage> stages(kBaseline.begin(), kBaseline.end());
    for (EfficientNetStage& stage : stages) {
        const bool outermost = &stage == &stages.front() || &stage == &stages.back();
        if (!member.lite || !outermost) stage.repeats = int(std::ceil(stage.repeats * member.depth));
        stage.in = scaled_channels(stage.in, member.width);
        stage.out = scaled_channels(stage.out, member.width);
    }
    if (member.lite) stages.front().in = kStem;
    return stages;
}

int efficientnet_stem_channels(const std::string& name) {
    const Member& member = member_of(name);
    return member.lite ? kStem : scaled_channels(kStem, member.width);
}

int efficientnet_head_channels(const std::string& name) {
    const Member& member = member_of(name);
    return member.lite ? kHead : scaled_channels(kHead, member.width);
}

EfficientNet::EfficientNet(const EfficientNetOptions& o, Random& random)
    : stages_(efficientnet_stages(o.member)),
      has_head_(o.head || o.classes > 0),
      lite_(efficientnet_is_lite(o.member)) {
    const int stem = efficientnet_stem_channels(o.member);
    const Activation f = lite_ ? Activation::none : Activation::silu;
    int side = o.padding_size;
    const auto padding_of = [&](int stride) {
        if (stride == 1 || side == 0) return o.padding;
        const PaddingKind padding = fixed_padding(o.padding, side);
        side = (side + 1) / 2;
        return padding;
    };
    stem_ = Conv2d(o.in_channels, stem, {.kernel = 3, .stride = 2, .padding = padding_of(2)}, random);
    stem_bn_ = BatchNorm(stem, o.batch_norm, f);

    int total = 0, index = 0;
    for (const EfficientNetStage& stage : stages_) total += stage.repeats;
    for (const EfficientNetStage& stage : stages_)
        for (int i = 0; i < stage.repeats; ++i, ++index) {
            const int stride = i == 0 ? stage.stride : 1;
            blocks_.emplace_back(MBConv::Options{.in = i == 0 ? stage.in : stage.out,
                                                 .out = stage.out,
                                                 .kernel = stage.kernel,
                                                 .stride = stride,
                                                 .expand = stage.expand,
                                                 .padding = padding_of(stride),
                                                 .batch_norm = o.batch_norm,
                                                 .drop_connect = o.drop_connect * float(index) / float(total),
                                                 .lite = lite_},
                                 random);
        }
    if (!has_head_) return;
    const int head = efficientnet_head_channels(o.member);
    head_ = Conv2d(stages_.back().out, head, {.kernel = 1}, random);
    head_bn_ = BatchNorm(head, o.batch_norm, f);
    if (o.classes == 0) return;
    classifier_weight_ = xavier_uniform({o.classes, head}, head, o.classes, random);
    classifier_bias_ = Tensor::zeros({o.classes});
}

EfficientNet::Features EfficientNet::operator()(const Tensor& x, const Pass& pass) const {
    Features features;
    const auto activated = [this](const Tensor& y) { return lite_ ? relu6(y) : y; };
    features.stem = activated(conv_norm(stem_, stem_bn_, x, pass));
    Tensor y = features.stem;
    auto block = blocks_.begin();
    for (const EfficientNetStage& stage : stages_) {
        for (int i = 0; i < stage.repeats; ++i, ++block) {
            Tensor expansion;
            y = (*block)(y, pass, i == 0 && stage.expand != 1 ? &expansion : nullptr);
            if (i == 0) features.expansions.push_back(expansion);
        }
        features.stages.push_back(y);
    }
    if (has_head_) features.head = activated(conv_norm(head_, head_bn_, y, pass));
    return features;
}

Tensor EfficientNet::logits(const Tensor& head) const {
    if (!classifier_weight_.defined()) throw Error("efficientnet", "expected a classifier, got a network without");
    const std::int64_t batch = head.dim(0), pixels = head.dim(1) * head.dim(2), channels = head.dim(3);
    const std::int64_t classes = classifier_weight_.dim(0);
    Tensor result = Tensor::empty({batch, classes});
    std::vector<double> mean(static_cast<std::size_t>(channels));
    for (std::int64_t n = 0; n < batch; ++n) {
        std::fill(mean.begin(), mean.end(), 0.0);
        const float* x = head.data<float>() + n * pixels * channels;
        for (std::int64_t i = 0; i < pixels * channels; ++i) mean[std::size_t(i % channels)] += x[i];
        for (std::int64_t k = 0; k < classes; ++k) {
            const float* weight = classifier_weight_.data<float>() + k * channels;
            double sum = 0;
            for (std::int64_t c = 0; c < channels; ++c) sum += double(weight[c]) * mean[std::size_t(c)];
            result.data<float>()[n * classes + k] = float(sum / double(pixels)) + classifier_bias_.data<float>()[k];
        }
    }
    return result;
}

void EfficientNet::visit(const std::string& prefix, const StateVisitor& visitor) {
    stem_.visit(join(prefix, "stem"), visitor);
    stem_bn_.visit(join(prefix, "stem_bn"), visitor);
    for (std::size_t i = 0; i < blocks_.size(); ++i)
        blocks_[i].visit(join(prefix, "blocks." + std::to_string(i)), visitor);
    if (!has_head_) return;
    head_.visit(join(prefix, "head"), visitor);
    head_bn_.visit(join(prefix, "head_bn"), visitor);
    if (!classifier_weight_.defined()) return;
    visitor(join(prefix, "classifier.weight"), classifier_weight_, StateKind::parameter);
    visitor(join(prefix, "classifier.bias"), classifier_bias_, StateKind::parameter);
}

}  // namespace karyon
