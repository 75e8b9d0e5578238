#pragma once

#include "data/patches.h"
#include "data/stain.h"
#include "tensor/tensor.h"

namespace karyon {

/// An image in a GPU's memory, where it is stain-normalised and cut into patches, so that the network is not fed by the
/// CPU. 3 bytes a pixel cross the bus once; patches never do.
class DeviceImage {
  public:
    /// Throws Error for an image without pixels, or a device that is no GPU.
    DeviceImage(const Image&, Device);

    /// As karyon::normalise; levels may differ by 1, since there is no table.
    void normalise(const StainModel& source, const StainModel& target);

    struct Corner {
        int x, y;
    };
    /// As cut_patch for all corners at once: [corners, size, size, 3] of type f32 or bf16, on the device.
    Tensor cut(std::span<const Corner>, int size, Border, const InputScaling&, DType) const;

  private:
    Tensor levels_;  ///< u8 [height, width, 3]
};

}  // namespace karyon
