#pragma once

#include "kernels/elementwise/activation.h"
#include "kernels/types.h"

namespace karyon::kernels {

/// Batch normalisation over rows = batch * height * width, with the activation that follows it (Ioffe & Szegedy 2015):
///
///   y[r,c] = f(gamma[c] * (x[r,c] - mean[c]) / sqrt(variance[c] + eps) + beta[c])
///
/// Training passes the statistics of the batch, evaluation the running ones. Statistics are f32; variance is the
/// biased one (divided by rows). Only x is kept: the way back recomputes what the activation saw.
struct BatchNormShape {
    std::int64_t rows = 1;
    int channels = 1;
    float eps = 1e-5f;
    Activation activation = Activation::none;
};

/// Of one forward pass without the statistics.
Cost cost(const BatchNormShape&, DType);
/// Of the statistics, and of the way back: x and dy twice, since the sums over all rows lie between; once where frozen.
Cost batch_norm_statistics_cost(const BatchNormShape&, DType);
Cost batch_norm_backward_cost(const BatchNormShape&, DType, bool frozen);

namespace cpu {

/// mean, variance [channels] of x [rows, channels]: per-tile (count, mean, M2) merged in a fixed order by Chan's
/// formula.
void batch_norm_statistics(Stream&, const BatchNormShape&, In x, Out mean, Out variance);
/// running = (1 - momentum) * running + momentum * batch; the running variance takes the unbiased batch variance
/// (rows / (rows - 1), as PyTorch and Keras' fused form; rows = 1 takes it as it is).
void batch_norm_update_running(Stream&, const BatchNormShape&, float momentum, In mean, In variance, Out running_mean,
                               Out running_variance);
/// x, y [rows, channels]; mean, variance, gamma, beta [channels] f32. In bf16 sigmoids, here and on the way back, are
/// within 4e-6 of themselves where the processor has AVX512-BF16.
void batch_norm_forward(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, Out y);
/// dx = the gradient of x with mean and variance being functions of x; dgamma += and dbeta +=, [channels] f32,
/// null where not wanted; dy and dx may be the same buffer.
void batch_norm_backward(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, In dy, Out dx,
                         Out dgamma, Out dbeta);
/// The same with mean and variance being constants (evaluation statistics).
void batch_norm_backward_frozen(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, In dy,
                                Out dx, Out dgamma, Out dbeta);

}  // namespace cpu

/// On device memory of the stream's GPU: x, y and their gradients f32 or bf16, all else f32.
namespace gpu {

void batch_norm_statistics(Stream&, const BatchNormShape&, In x, Out mean, Out variance);
void batch_norm_update_running(Stream&, const BatchNormShape&, float momentum, In mean, In variance, Out running_mean,
                               Out running_variance);
void batch_norm_forward(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, Out y);
/// Reads x and dy twice: for the two sums of a channel, then for dx.
void batch_norm_backward(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, In dy, Out dx,
                         Out dgamma, Out dbeta);
void batch_norm_backward_frozen(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In beta, In dy,
                                Out dx, Out dgamma, Out dbeta);

/// The end of a residual block in one pass, with drop-connect:
///
///   y[r,c] = f(z[r,c]) * image_scale[r / rows_per_image] + residual[r,c],  f(z) as batch_norm_forward gives it
///
/// image_scale [rows / rows_per_image] f32, null: 1; residual [rows, channels] of y's type, null: 0; x, residual and y
/// may be the same buffer. The way back: the residual's gradient is dy, that of f(z) is dy times the image's scale.
void batch_norm_forward_residual(Stream&, const BatchNormShape&, std::int64_t rows_per_image, In x, In mean,
                                 In variance, In gamma, In beta, In image_scale, In residual, Out y);

/// The elementwise half of batch_norm_backward, for a producer of dy that takes the sums as it writes. dz [rows,
/// channels] is the gradient behind the activation, dy * f'(z); sum_dz and sum_dz_xhat [channels] f32 are the sums over
/// all rows of dz and of dz * xhat, with xhat = (x - mean) / sqrt(variance + eps):
///
///   dx = gamma / sqrt(variance + eps) * (dz - sum_dz / rows - xhat * sum_dz_xhat / rows)
///   dgamma += sum_dz_xhat;  dbeta += sum_dz   (null where not wanted)
///
/// dz and dx may be the same buffer; shape.activation has no part in it.
void batch_norm_backward_apply(Stream&, const BatchNormShape&, In x, In mean, In variance, In gamma, In dz, In sum_dz,
                               In sum_dz_xhat, Out dx, Out dgamma, Out dbeta);

}  // namespace gpu
}  // namespace karyon::kernels
