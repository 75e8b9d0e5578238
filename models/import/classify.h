#pragma once

#include "data/image.h"
#include "models/import/encoder_description.h"

namespace karyon {

struct ClassScore {
    int index = 0;
    float logit = 0, probability = 0;
};

/// The side of the images that a member was published for: 224 for B0, 380 for B4.
int native_size(const std::string& member);

/// The image as ImageNet networks are tested: shorter side to 8/7 of `size`, bilinear and smoothed where it shrinks;
/// the middle [size, size] of that. An image of just that size is taken as it is.
Image centre_crop(const Image&, int size);

/// The classes of an image [size, size] by falling probability, at most `count`.
std::vector<ClassScore> classify(const EfficientNet&, const EncoderDescription&, const Image&, int count);

}  // namespace karyon
