#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/augment.h"
#include "data/image.h"
#include "data/patches.h"
#include "tensor/tensor.h"

namespace karyon {

/// An image to learn from, stain-normalised where that is wanted.
struct TrainingCase {
    std::string name, organ;
    Image image;
    Mask mask;  ///< of the image's size
};

struct Batch {
    Tensor local;            ///< f32 [N, local, local, 3], undefined where not wanted
    Tensor global;           ///< f32 [N, global, global, 3], undefined where not wanted
    Tensor target;           ///< u8 [N, local, local, 1]
    std::int64_t index = 0;  ///< which batch of the sequence this is
};

struct LoaderConfig {
    PatchGeometry geometry;
    AugmentConfig augment;
    InputScaling scaling;
    int batch = 8;  ///< samples a batch
    std::uint64_t seed = 0;
    int workers = 1;      ///< threads; 0 makes each batch when it is asked for
    int prefetch = 4;     ///< batches that are made ahead at most
    bool pinned = false;  ///< batches lie in memory that copies to a GPU fastest
};

/// An endless sequence of batches. Every image comes once in each round, in an order of its own; places are uniform
/// over the image. Sample s of batch b depends on (seed, b, s) alone, so any number of workers, and any start, gives
/// the same bits.
class Loader {
  public:
    /// Throws Error for no cases, an empty image, a mask of another size, or a config out of range.
    Loader(std::shared_ptr<const std::vector<TrainingCase>> cases, const LoaderConfig&, std::int64_t first_batch = 0);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// The next batch; waits for it. What a worker threw for it is thrown here, again on every further call.
    Batch next();

  private:
    class Queue;
    std::unique_ptr<Queue> queue_;
};

}  // namespace karyon
