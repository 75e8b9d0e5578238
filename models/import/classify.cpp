#include "models/import/classify.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/draw.h"
#include "kernels/error.h"
#include "tensor/autograd.h"

namespace karyon {

int native_size(const std::string& member) {
    constexpr std::array<int, 13> sizes{224, 240, 260, 300, 380, 456, 528, 600, 224, 240, 260, 280, 300};
    const auto& members = efficientnet_members();
    return sizes[std::size_t(std::find(members.begin(), members.end(), member) - members.begin())];
}

Image centre_crop(const Image& image, int size) {
    if (image.width < 1 || image.height < 1) throw Error("classify", "expected an image with pixels, got none");
    if (image.width == size && image.height == size) return image;
    const double scale = size * 8.0 / 7.0 / std::min(image.width, image.height);
    const Image small = resized(image, std::max(size, int(std::lround(image.width * scale))),
                                std::max(size, int(std::lround(image.height * scale))));
    Image crop(size, size);
    const int left = (small.width - size) / 2, top = (small.height - size) / 2;
    for (int y = 0; y < size; ++y) std::copy_n(small.at(left, top + y), 3 * size, crop.at(0, y));
    return crop;
}

std::vector<ClassScore> classify(const EfficientNet& network, const EncoderDescription& d, const Image& image,
                                 int count) {
    if (d.network.classes == 0) throw Error("classify", "expected a checkpoint with a classifier, got one without");
    if (d.network.in_channels != 3)
        throw Error("classify", "expected a network of 3 channels, got {}", d.network.in_channels);
    const NoGrad off;
    const Tensor x = Tensor::empty({1, image.height, image.width, 3});
    scale_levels(image.pixels.data(), std::size_t(image.width) * image.height, d.scaling, x.data<float>());
    const Tensor logits = network.logits(network(x, {}).head);
    const auto values = logits.span<float>();
    const float most = *std::max_element(values.begin(), values.end());
    double sum = 0;
    std::vector<ClassScore> scores;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double part = std::exp(double(values[i] - most));
        sum += part;
        scores.push_back({int(i), values[i], float(part)});
    }
    const auto kept = std::min<std::size_t>(scores.size(), std::size_t(count));
    std::partial_sort(scores.begin(), scores.begin() + std::ptrdiff_t(kept), scores.end(),
                      [](const ClassScore& a, const ClassScore& b) { return a.logit > b.logit; });
    scores.resize(kept);
    for (ClassScore& score : scores) score.probability = float(score.probability / sum);
    return scores;
}

}  // namespace karyon
