#include "data/augment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/augment_color.h"
#include "data/augment_warp.h"
#include "data/gaussian_blur.h"
#include "kernels/error.h"

namespace karyon {

void check(const AugmentConfig& c) {
    auto in_range = [](const char* name, float value, float low, float high) {
        if (!(value >= low && value <= high))
            throw Error("augment", "{}: expected a value from {} to {}, got {}", name, low, high, value);
    };
    in_range("rotate", c.rotate, 0, 1);
    in_range("scale", c.scale, 1, 4);
    in_range("elastic", c.elastic, 0, 50);
    in_range("elastic_spacing", c.elastic_spacing, 4, 1000);
    in_range("stain_gain", c.stain_gain, 0, 0.5f);
    in_range("stain_bias", c.stain_bias, 0, 0.5f);
    in_range("brightness", c.brightness, 0, 1);
    in_range("contrast", c.contrast, 0, 0.9f);
    in_range("gamma", c.gamma, 0, 1);
    in_range("blur", c.blur, 0, 1);
    in_range("blur_sigma", c.blur_sigma, 0, 20);
    in_range("noise", c.noise, 0, 1);
    in_range("noise_sigma", c.noise_sigma, 0, 100);
}

Augmentation draw_augmentation(const AugmentConfig& config, Random& random) {
    Augmentation a;
    const bool flip = random.chance(0.5f);
    const int turns = int(random.u32() >> 30);
    a.flip = config.flip && flip;
    a.quarter_turns = config.rot90 ? turns : 0;
    const bool rotate = random.chance(config.rotate);
    const float angle = random.uniform(-1, 1) * std::numbers::pi_v<float>;
    a.angle = rotate ? angle : 0;
    a.zoom = std::pow(config.scale, random.uniform(-1, 1));
    a.elastic = config.elastic;
    a.elastic_spacing = config.elastic_spacing;
    for (float& gain : a.stain_gain) gain = std::max(0.f, 1 + config.stain_gain * random.normal());
    for (float& bias : a.stain_bias) bias = config.stain_bias * random.normal();
    a.brightness = config.brightness * random.uniform(-1, 1);
    a.contrast = 1 + config.contrast * random.uniform(-1, 1);
    a.gamma = std::exp(config.gamma * random.uniform(-1, 1));
    const bool blur = random.chance(config.blur);
    const float blur_sigma = config.blur_sigma * random.uniform();
    const bool noise = random.chance(config.noise);
    const float noise_sigma = config.noise_sigma * random.uniform();
    a.blur = blur ? blur_sigma : 0;
    a.noise = noise ? noise_sigma : 0;
    a.seed = random.u64();
    return a;
}

Sampler::Sampler(const PatchGeometry& geometry, const InputScaling& scaling, const StainModel& stains)
    : geometry_(geometry), scaling_(scaling), stains_(stains) {
    check(geometry);
    const std::size_t pixels = std::size_t(geometry.window()) * geometry.window();
    levels_.resize(pixels * 3);
    inside_.resize(pixels);
}

void Sampler::sample(const Image& image, const Mask& mask, int x, int y, const Augmentation& augmentation,
                     const SampleViews& views) {
    const int size = geometry_.window(), margin = geometry_.window_margin(), local = geometry_.local;
    const Warp warp(augmentation, x - margin, y - margin, size);
    if (views.target) warp.sample(mask, margin, local, views.target);
    if (!views.local && !views.global) return;

    warp.sample(image, levels_.data(), inside_.data());
    recolour(augmentation, stains_, levels_.data(), inside_.size());
    gaussian_blur(levels_.data(), size, size, augmentation.blur);
    if (augmentation.noise > 0) add_noise(augmentation.noise, augmentation.seed, levels_.data(), levels_.size());
    keep_inside(inside_.data(), levels_.data(), inside_.size());

    if (views.global) scale_levels(levels_.data(), inside_.size(), scaling_, views.global);
    if (views.local)
        for (int row = 0; row < local; ++row)
            scale_levels(&levels_[(std::size_t(row + margin) * size + margin) * 3], std::size_t(local), scaling_,
                         views.local + std::size_t(row) * local * 3);
}

}  // namespace karyon
