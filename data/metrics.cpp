#include "data/metrics.h"

#include <cmath>
#include <limits>

#include "kernels/error.h"

namespace karyon {

Confusion& Confusion::operator+=(const Confusion& other) {
    true_positive += other.true_positive;
    false_positive += other.false_positive;
    false_negative += other.false_negative;
    true_negative += other.true_negative;
    return *this;
}

double Confusion::dice() const {
    const std::int64_t sum = 2 * true_positive + false_positive + false_negative;
    return sum ? 2.0 * double(true_positive) / double(sum) : 1.0;
}

double Confusion::iou() const {
    const std::int64_t joined = true_positive + false_positive + false_negative;
    return joined ? double(true_positive) / double(joined) : 1.0;
}

Confusion compare(const Mask& truth, const Mask& prediction, std::string_view name) {
    if (truth.width != prediction.width || truth.height != prediction.height)
        throw Error(name, "expected a predicted mask of {}x{} like the truth, got {}x{}", truth.width, truth.height,
                    prediction.width, prediction.height);
    if (truth.pixels.empty()) throw Error(name, "expected masks with pixels, got {}x{}", truth.width, truth.height);
    std::int64_t both = 0, in_truth = 0, in_prediction = 0;
    for (std::size_t i = 0; i < truth.pixels.size(); ++i) {
        const int g = truth.pixels[i] != 0, s = prediction.pixels[i] != 0;
        both += g & s;
        in_truth += g;
        in_prediction += s;
    }
    const auto count = std::int64_t(truth.pixels.size());
    return {both, in_prediction - both, in_truth - both, count - in_truth - in_prediction + both};
}

ScoreSummary summarize(const std::vector<ImageScore>& images) {
    ScoreSummary result;
    result.images = int(images.size());
    if (images.empty()) {
        const double none = std::numeric_limits<double>::quiet_NaN();
        return {0, none, none, none, none, none};
    }
    Confusion pooled;
    for (const ImageScore& image : images) {
        result.mean_dice += image.counts.dice() / result.images;
        result.mean_iou += image.counts.iou() / result.images;
        pooled += image.counts;
    }
    double squares = 0;
    for (const ImageScore& image : images) squares += std::pow(image.counts.dice() - result.mean_dice, 2);
    result.sd_dice = result.images > 1 ? std::sqrt(squares / (result.images - 1)) : 0;
    result.pooled_dice = pooled.dice();
    result.pooled_iou = pooled.iou();
    return result;
}

Scores::Scores(std::string split, std::set<std::string> training_organs)
    : split_(std::move(split)), training_organs_(std::move(training_organs)) {}

const ImageScore& Scores::add(std::string name, std::string organ, const Mask& truth, const Mask& prediction) {
    const Confusion counts = compare(truth, prediction, name);
    return images_.emplace_back(ImageScore{std::move(name), std::move(organ), counts});
}

ScoreSummary Scores::half(bool seen) const {
    std::vector<ImageScore> members;
    for (const ImageScore& image : images_)
        if (!training_organs_.empty() && !image.organ.empty() && training_organs_.contains(image.organ) == seen)
            members.push_back(image);
    return summarize(members);
}

}  // namespace karyon
