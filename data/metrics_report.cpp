#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "data/metrics.h"

namespace karyon {
namespace {

using Json = nlohmann::ordered_json;

void put(Json& json, const ScoreSummary& summary) {
    json["mean_dice"] = summary.mean_dice;
    json["sd_dice"] = summary.sd_dice;
    json["pooled_dice"] = summary.pooled_dice;
    json["mean_iou"] = summary.mean_iou;
    json["pooled_iou"] = summary.pooled_iou;
}

Json half_json(const ScoreSummary& summary) {
    if (!summary.images) return nullptr;
    Json json;
    json["images"] = summary.images;
    put(json, summary);
    return json;
}

std::string summary_line(const char* what, const ScoreSummary& summary) {
    if (!summary.images) return {};
    return fmt::format("{:<22}{:>7}{:>10.4f} +- {:.4f}{:>10.4f}{:>10.4f}{:>10.4f}\n", what, summary.images,
                       summary.mean_dice, summary.sd_dice, summary.pooled_dice, summary.mean_iou, summary.pooled_iou);
}

}  // namespace

std::string Scores::to_json() const {
    Json json;
    json["split"] = split_;
    json["images"] = Json::array();
    for (const ImageScore& image : images_)
        json["images"].push_back(
            {{"name", image.name}, {"organ", image.organ}, {"dice", image.counts.dice()}, {"iou", image.counts.iou()}});
    put(json, all());
    json["seen"] = half_json(seen());
    json["unseen"] = half_json(unseen());
    return json.dump(2);
}

std::string Scores::to_text() const {
    std::size_t name_width = 5, organ_width = 5;
    for (const ImageScore& image : images_) {
        name_width = std::max(name_width, image.name.size());
        organ_width = std::max(organ_width, image.organ.size());
    }
    std::string text = fmt::format("split {}: {} image{}\n\n", split_, images_.size(), images_.size() == 1 ? "" : "s");
    text += fmt::format("{:<{}}  {:<{}}    Dice     IoU\n", "image", name_width, "organ", organ_width);
    for (const ImageScore& image : images_)
        text += fmt::format("{:<{}}  {:<{}}  {:.4f}  {:.4f}\n", image.name, name_width, image.organ, organ_width,
                            image.counts.dice(), image.counts.iou());
    text +=
        fmt::format("\n{:<22}{:>7}{:>20}{:>10}{:>10}{:>10}\n", "", "", "per-image Dice", "pooled", "mean", "pooled");
    text += fmt::format("{:<22}{:>7}{:>20}{:>10}{:>10}{:>10}\n", "", "images", "mean +- sd", "Dice", "IoU", "IoU");
    text += summary_line("all images", all());
    text += summary_line("organs seen", seen());
    text += summary_line("organs unseen", unseen());
    return text;
}

}  // namespace karyon
