#include <nlohmann/json.hpp>

#include "models/model.h"

namespace karyon {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Json to_json(BatchNormOptions options) { return {{"eps", options.eps}, {"momentum", options.momentum}}; }

BatchNormOptions batch_norm_from(const Json& json) { return {json.at("eps"), json.at("momentum")}; }

PaddingKind padding_from(const std::string& text) {
    if (text == "same") return PaddingKind::same;
    if (text == "symmetric") return PaddingKind::symmetric;
    throw Error("padding", "expected same | symmetric, got {}", text);
}

UnetOptions network_from(const Json& json) {
    UnetOptions o;
    o.encoder = json.at("encoder");
    o.view = parse_view(json.at("view"));
    o.decoder = parse_decoder_form(json.at("decoder"));
    o.padding = padding_from(json.at("padding"));
    o.padding_size = json.value("padding_size", 0);
    o.encoder_batch_norm = batch_norm_from(json.at("encoder_batch_norm"));
    o.decoder_batch_norm = batch_norm_from(json.at("decoder_batch_norm"));
    o.drop_connect = json.at("drop_connect");
    o.skip_blocks = json.at("skip_blocks");
    o.tail = json.at("tail");
    o.side_outputs = json.at("side_outputs");
    o.local = json.at("local");
    o.margin = json.at("margin");
    return o;
}

}  // namespace

std::string to_json(const ModelDescription& d) {
    const UnetOptions& o = d.network;
    Json json{{"format", kFormat},
              {"network",
               {{"encoder", o.encoder},
                {"view", name_of(o.view)},
                {"decoder", name_of(o.decoder)},
                {"padding", o.padding == PaddingKind::same ? "same" : "symmetric"},
                {"encoder_batch_norm", to_json(o.encoder_batch_norm)},
                {"decoder_batch_norm", to_json(o.decoder_batch_norm)},
                {"drop_connect", o.drop_connect},
                {"skip_blocks", o.skip_blocks},
                {"tail", o.tail},
                {"side_outputs", o.side_outputs},
                {"local", o.local},
                {"margin", o.margin}}},
              {"input", {{"mean", d.scaling.mean}, {"std", d.scaling.std}}},
              {"organs", d.organs},
              {"trained_on", d.trained_on},
              {"threshold", d.threshold}};
    if (o.padding_size > 0) json["network"]["padding_size"] = o.padding_size;
    if (d.stain_target) json["stain_target"] = d.stain_target->values();
    return json.dump();
}

ModelDescription description_from_json(const std::string& text, const std::string& where) {
    try {
        const Json json = Json::parse(text);
        if (const int format = json.at("format"); format != kFormat)
            throw Error(where, "expected model format {}, got {}", kFormat, format);
        ModelDescription d;
        d.network = network_from(json.at("network"));
        const std::array<float, 3> mean = json.at("input").at("mean"), std = json.at("input").at("std");
        std::copy(mean.begin(), mean.end(), std::begin(d.scaling.mean));
        std::copy(std.begin(), std.end(), std::begin(d.scaling.std));
        d.organs = json.at("organs");
        d.trained_on = json.at("trained_on");
        d.threshold = json.at("threshold");
        if (json.contains("stain_target"))
            d.stain_target = StainModel::from_values(json.at("stain_target").get<std::array<float, 8>>());
        return d;
    } catch (const Json::exception& error) {
        throw Error(where, "expected the description of a model in its metadata: {}", error.what());
    } catch (const Error& error) {
        throw Error(where, "expected a usable description of a model in its metadata: {}", error.what());
    }
}

}  // namespace karyon
