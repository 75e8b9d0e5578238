#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/image.h"

namespace karyon {

/// Pixels of a truth G and a prediction S, by agreement.
struct Confusion {
    std::int64_t true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;

    Confusion& operator+=(const Confusion&);
    bool operator==(const Confusion&) const = default;

    /// 2 |G n S| / (|G| + |S|); 1 where both are empty.
    double dice() const;
    /// |G n S| / |G u S|; 1 where both are empty.
    double iou() const;
};

/// Counts the pixels of two masks. Throws Error naming `name` when their sizes differ or they have no pixels.
Confusion compare(const Mask& truth, const Mask& prediction, std::string_view name = "masks");

struct ImageScore {
    std::string name, organ;
    Confusion counts;
};

/// What a set of images comes to. Every figure is NaN for an empty set; `sd_dice` is the sample standard deviation
/// (n - 1), 0 for one image.
struct ScoreSummary {
    int images = 0;
    double mean_dice = 0, sd_dice = 0, mean_iou = 0;  ///< one value an image, then the mean
    double pooled_dice = 0, pooled_iou = 0;           ///< the pixels of all images as if they were one
};

ScoreSummary summarize(const std::vector<ImageScore>&);

/// The scores of a split, image by image, with the two halves that Kumar's test split was made for: organs that the
/// model saw in training, and organs that it never saw (Kumar 2017, section V).
class Scores {
  public:
    /// `training_organs` decides which half an image belongs to; empty (unknown) leaves both halves out.
    explicit Scores(std::string split, std::set<std::string> training_organs = {});

    /// Throws Error when the sizes differ.
    const ImageScore& add(std::string name, std::string organ, const Mask& truth, const Mask& prediction);

    const std::string& split() const { return split_; }
    const std::vector<ImageScore>& images() const { return images_; }
    ScoreSummary all() const { return summarize(images_); }
    ScoreSummary seen() const { return half(true); }
    ScoreSummary unseen() const { return half(false); }

    /// {"split", "images": [{"name", "organ", "dice", "iou"}], "mean_dice", "sd_dice", "pooled_dice", "mean_iou",
    /// "pooled_iou", "seen": {...}, "unseen": {...}}; a half without images is null.
    std::string to_json() const;
    /// A table for people: an image a line, then the means, with both kinds of Dice named.
    std::string to_text() const;

  private:
    ScoreSummary half(bool seen) const;

    std::string split_;
    std::set<std::string> training_organs_;
    std::vector<ImageScore> images_;
};

}  // namespace karyon
