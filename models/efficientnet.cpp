#include "models/efficientnet.h"

#include <array>
#include <cmath>

namespace karyon {
namespace {

struct Member {
    const char* name;
    double width, depth;
};
constexpr std::array<Member, 8> kMembers{{{"b0", 1.0, 1.0},
                                          {"b1", 1.0, 1.1},
                                          {"b2", 1.1, 1.2},
                                          {"b3", 1.2, 1.4},
                                          {"b4", 1.4, 1.8},
                                          {"b5", 1.6, 2.2},
                                          {"b6", 1.8, 2.6},
                                          {"b7", 2.0, 3.1}}};

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
    throw Error("efficientnet", "expected a member b0 ... b7, got {}", name);
}

}  // namespace

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
        stage.repeats = int(std::ceil(stage.repeats * member.depth));
        stage.in = scaled_channels(stage.in, member.width);
        stage.out = scaled_channels(stage.out, member.width);
    }
    return stages;
}

int efficientnet_stem_channels(const std::string& member) { return scaled_channels(32, member_of(member).width); }
int efficientnet_head_channels(const std::string& member) { return scaled_channels(1280, member_of(member).width); }

EfficientNet::EfficientNet(const EfficientNetOptions& o, Random& random)
    : stages_(efficientnet_stages(o.member)), has_head_(o.head || o.classes > 0) {
    const int stem = efficientnet_stem_channels(o.member);
    stem_ = Conv2d(o.in_channels, stem, {.kernel = 3, .stride = 2, .padding = o.padding}, random);
    stem_bn_ = BatchNorm(stem, o.batch_norm, Activation::silu);

    int total = 0, index = 0;
    for (const EfficientNetStage& stage : stages_) total += stage.repeats;
    for (const EfficientNetStage& stage : stages_)
        for (int i = 0; i < stage.repeats; ++i, ++index)
            blocks_.emplace_back(MBConv::Options{.in = i == 0 ? stage.in : stage.out,
                                                 .out = stage.out,
                                                 .kernel = stage.kernel,
                                                 .stride = i == 0 ? stage.stride : 1,
                                                 .expand = stage.expand,
                                                 .padding = o.padding,
                                                 .batch_norm = o.batch_norm,
                                                 .drop_connect = o.drop_connect * float(index) / float(total)},
                                 random);
    if (!has_head_) return;
    const int head = efficientnet_head_channels(o.member);
    head_ = Conv2d(stages_.back().out, head, {.kernel = 1}, random);
    head_bn_ = BatchNorm(head, o.batch_norm, Activation::silu);
    if (o.classes == 0) return;
    classifier_weight_ = xavier_uniform({o.classes, head}, head, o.classes, random);
    classifier_bias_ = Tensor::zeros({o.classes});
}

EfficientNet::Features EfficientNet::operator()(const Tensor& x, const Pass& pass) const {
    Features features;
    features.stem = stem_bn_(stem_(x), pass);
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
    if (has_head_) features.head = head_bn_(head_(y), pass);
    return features;
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
