#pragma once

#include <string>
#include <vector>

#include "models/efficientnet.h"

namespace karyon {

/// One tensor of an EfficientNet: where it stands in the network, from which every published name for it follows, and
/// its name and shape here.
struct EncoderTensor {
    enum class Part : unsigned char { stem, block, head, classifier };
    enum class Layer : unsigned char { expand, depthwise, se_reduce, se_expand, project, other };
    enum class Leaf : unsigned char { weight, bias, mean, variance };

    Part part = Part::stem;
    Layer layer = Layer::other;  ///< of a block
    bool batch_norm = false;     ///< the tensor belongs to the normalisation behind the layer
    Leaf leaf = Leaf::weight;
    int block = 0;                ///< from 0 through the whole network
    int stage = 0, in_stage = 0;  ///< from 0; block of the stage, from 0
    bool expands = false;         ///< whether the block has an expansion

    std::string name;  ///< as EfficientNet::visit gives it
    Shape shape;       ///< as the layers hold it: dense [out,k,k,in], depthwise [k,k,c], matrices [out,in]
};

/// What a network of these options holds, in the order of EfficientNet::visit, without making it.
std::vector<EncoderTensor> encoder_tensors(const EfficientNetOptions&);

}  // namespace karyon
