#pragma once

#include <span>
#include <string>
#include <vector>

#include "loaders/fashion_mnist.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// The fixed filters of the experiments, in the order of the channels that they give: edges of eight directions, one after the
/// other round the clock, then bright and dark blobs.
const std::vector<std::string>& filter_names();

/// The maps of these pictures, [pictures, filters, 28, 28]: 5 × 5 convolutions with filters that nobody trained, and max(0, ·).
tensor::Tensor<4> feature_maps_of(const datasets::ImageSet& pictures, std::span<const tensor::Index> which);

}  // namespace attention::convolutional
