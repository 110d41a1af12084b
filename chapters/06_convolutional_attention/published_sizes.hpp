#pragma once

#include "attention_module.hpp"

namespace attention::convolutional {

/// Numbers that training sets in ResNet-`depth` (He et al. 2016, table 1, for 1,000 classes; depth 18, 34, 50 or 101) with an attention module of
/// this kind in each block, over the block's output channels, r = 16. The modules are the chapter's own, so that a published total says
/// whether they are what others mean. Batch normalisation counts two numbers a channel. Throws std::invalid_argument for another depth.
Index resnet_parameters(int depth, ModuleKind kind);

}  // namespace attention::convolutional
