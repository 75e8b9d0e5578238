#include "models/import/encoder_description.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "kernels/error.h"

namespace karyon {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

PaddingKind padding_from(const std::string& text) {
    if (text == "same") return PaddingKind::same;
    if (text == "symmetric") return PaddingKind::symmetric;
    throw Error("padding", "expected same | symmetric, found {}", text);
}

}  // namespace

std::string to_json(const EncoderDescription& d) {
    const EfficientNetOptions& o = d.network;
    const Json json{{"format", kFormat},
                    {"source", d.source},
                    {"member", o.member},
                    {"in_channels", o.in_channels},
                    {"padding", o.padding == PaddingKind::same ? "same" : "symmetric"},
                    {"padding_size", o.padding_size},
                    {"batch_norm", {{"eps", o.batch_norm.eps}, {"momentum", o.batch_norm.momentum}}},
                    {"head", o.head},
                    {"classes", o.classes},
                    {"input", {{"mean", d.scaling.mean}, {"std", d.scaling.std}}}};
    return json.dump();
}

EncoderDescription encoder_description_from_json(const std::string& text, const std::string& where) {
    try {
        const Json json = Json::parse(text);
        if (const int format = json.at("format"); format != kFormat)
            throw Error(where, "{}: expected format {}, found {}", kEncoderKey, kFormat, format);
        EncoderDescription d;
        d.source = json.at("source");
        EfficientNetOptions& o = d.network;
        o.member = json.at("member");
        o.in_channels = json.at("in_channels");
        o.padding = padding_from(json.at("padding"));
        o.padding_size = json.at("padding_size");
        o.batch_norm = {json.at("batch_norm").at("eps"), json.at("batch_norm").at("momentum")};
        o.head = json.at("head");
        o.classes = json.at("classes");
        const std::array<float, 3> mean = json.at("input").at("mean"), std = json.at("input").at("std");
        std::copy(mean.begin(), mean.end(), std::begin(d.scaling.mean));
        std::copy(std.begin(), std.end(), std::begin(d.scaling.std));
        efficientnet_is_lite(o.member);
        return d;
    } catch (const Json::exception& error) {
        throw Error(where, "{}: expected the description of an encoder, found: {}", kEncoderKey, error.what());
    } catch (const Error& error) {
        throw Error(where, "{}: expected a usable description of an encoder, found: {}", kEncoderKey, error.what());
    }
}

}  // namespace karyon
