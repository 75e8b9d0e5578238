#include "models/local_global_unet.h"

#include "tensor/ops/cast.h"
#include "tensor/ops/shape.h"

namespace karyon {
namespace {

constexpr int kDecoderWidths[5] = {256, 128, 64, 32, 16};
constexpr int kSkips = 4;

/// Channels of the bottom, then of the skips at /16, /8, /4, /2.
std::vector<int> encoder_widths(const UnetOptions& o) {
    const auto stages = efficientnet_stages(o.encoder);
    if (o.decoder == DecoderForm::smp)
        return {stages[6].out, stages[4].out, stages[2].out, stages[1].out, efficientnet_stem_channels(o.encoder)};
    return {efficientnet_head_channels(o.encoder), stages[5].in * stages[5].expand, stages[3].in * stages[3].expand,
            stages[2].in * stages[2].expand, stages[1].in * stages[1].expand};
}

void check(const UnetOptions& o) {
    if (o.local < 32 || o.local % 32 != 0)
        throw Error("unet", "expected local to be a positive multiple of 32, got {}", o.local);
    if (o.view != View::local && (o.margin < 0 || o.margin % 16 != 0))
        throw Error("unet", "expected margin to be a multiple of 16, got {}", o.margin);
    if (o.skip_blocks < 0) throw Error("unet", "expected skip_blocks of at least 0, got {}", o.skip_blocks);
}

template <typename T, std::size_t N>
T parse_name(const char* field, const std::string& text, const std::pair<const char*, T> (&names)[N]) {
    std::string known;
    for (const auto& [name, value] : names) {
        if (text == name) return value;
        known += known.empty() ? name : std::string(" | ") + name;
    }
    throw Error("unet", "expected {} to be {}, got {}", field, known, text);
}

}  // namespace

View parse_view(const std::string& text) {
    return parse_name<View>("view", text,
                            {{"local", View::local}, {"local_global", View::local_global}, {"wide", View::wide}});
}

std::string name_of(View view) {
    return view == View::local ? "local" : view == View::local_global ? "local_global" : "wide";
}

DecoderForm parse_decoder_form(const std::string& text) {
    return parse_name<DecoderForm>("decoder", text, {{"smp", DecoderForm::smp}, {"keras", DecoderForm::keras}});
}

std::string name_of(DecoderForm form) { return form == DecoderForm::smp ? "smp" : "keras"; }

LocalGlobalUnet::LocalGlobalUnet(const UnetOptions& o, Random& random) : options_(o) {
    check(o);
    encoder_ = EfficientNet({.member = o.encoder,
                             .in_channels = o.view == View::local_global ? 6 : 3,
                             .padding = o.padding,
                             .padding_size = o.padding_size,
                             .batch_norm = o.encoder_batch_norm,
                             .drop_connect = o.drop_connect,
                             .head = o.decoder == DecoderForm::keras},
                            random);
    const std::vector<int> widths = encoder_widths(o);
    // The skip at half resolution would take a fifth of the network's arithmetic for its residual blocks alone.
    for (int i = 0; i < kSkips; ++i)
        skip_chains_.emplace_back(widths[i + 1], i < kSkips - 1 ? o.skip_blocks : 0, o.decoder_batch_norm, random);
    int in = widths[0];
    for (int i = 0; i < 5; ++i) {
        stages_.emplace_back(in, i < kSkips ? widths[i + 1] : 0, kDecoderWidths[i], o.decoder_batch_norm, random);
        in = kDecoderWidths[i];
    }
    const int views = o.view == View::local_global ? 6 : 3;
    if (o.tail) tail_ = ResidualBlock(in + views, in, o.decoder_batch_norm, random);
    if (o.side_outputs)
        for (int i = 0; i < kSkips; ++i)
            side_.emplace_back(kDecoderWidths[i], 1,
                               Conv2d::Options{.bias = true, .initialisation = Initialisation::xavier_uniform}, random);
    output_ = Conv2d(in, 1, {.kernel = 3, .bias = true, .initialisation = Initialisation::xavier_uniform}, random);
}

LocalGlobalUnet::Skips LocalGlobalUnet::skips_of(const EfficientNet::Features& f, const Pass& pass) const {
    Skips skips;
    if (options_.decoder == DecoderForm::smp) {
        skips.bottom = f.stages[6];
        skips.by_depth = {f.stages[4], f.stages[2], f.stages[1], f.stem};
    } else {
        skips.bottom = f.head;
        skips.by_depth = {f.expansions[5], f.expansions[3], f.expansions[2], f.expansions[1]};
    }
    for (int i = 0; i < kSkips; ++i) skips.by_depth[i] = skip_chains_[i](skips.by_depth[i], pass);
    return skips;
}

LocalGlobalUnet::Output LocalGlobalUnet::operator()(const Tensor& local, const Tensor& global, const Pass& pass) const {
    const std::int64_t size = options_.local;
    Tensor input = options_.view == View::wide ? global : local;
    if (options_.view == View::local_global) input = concat_channels({local, bilinear_resize(global, size, size)});

    Skips skips = skips_of(encoder_(input, pass), pass);
    Tensor y = std::move(skips.bottom);
    const int margin = options_.margin;
    const kernels::Padding crop{-margin, -margin, -margin, -margin};
    Output output;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
        y = stages_[i](y, i < kSkips ? std::exchange(skips.by_depth[i], Tensor()) : Tensor(), pass);
        if (!pass.training || i >= side_.size()) continue;
        const Tensor side = bilinear_resize(cast(side_[i](y), DType::f32), input.dim(1), input.dim(2));
        output.side.push_back(options_.view == View::wide ? pad_crop(side, crop) : side);
    }
    if (options_.tail) y = tail_(concat_channels({y, input}), pass);
    output.logits = cast(output_(y), DType::f32);
    if (options_.view == View::wide) output.logits = pad_crop(output.logits, crop);
    return output;
}

void LocalGlobalUnet::visit(const std::string& prefix, const StateVisitor& visitor) {
    encoder_.visit(join(prefix, "encoder"), visitor);
    for (std::size_t i = 0; i < skip_chains_.size(); ++i)
        skip_chains_[i].visit(join(prefix, "decoder.skips." + std::to_string(i)), visitor);
    for (std::size_t i = 0; i < stages_.size(); ++i)
        stages_[i].visit(join(prefix, "decoder.stages." + std::to_string(i)), visitor);
    if (options_.tail) tail_.visit(join(prefix, "tail"), visitor);
    for (std::size_t i = 0; i < side_.size(); ++i) side_[i].visit(join(prefix, "side." + std::to_string(i)), visitor);
    output_.visit(join(prefix, "output"), visitor);
}

}  // namespace karyon
