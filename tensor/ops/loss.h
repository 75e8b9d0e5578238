#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace karyon {

/// 1 - (I + smooth) / (U + smooth) of sigmoid(logits) and target (u8 0/1 or f32), sums over the whole batch -> [1].
Tensor jaccard_loss(const Tensor& logits, const Tensor& target, float smooth = 1e-5f);

/// Mean binary cross-entropy of logits and target -> [1].
Tensor binary_cross_entropy(const Tensor& logits, const Tensor& target);

/// sum_i weights[i] * terms[i], all of one element -> [1].
Tensor weighted_sum(const std::vector<Tensor>& terms, const std::vector<float>& weights);

}  // namespace karyon
