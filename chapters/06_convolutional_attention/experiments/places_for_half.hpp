#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::convolutional {

/// How many places hold half of the weight, the heaviest first: `count` weights of sum 1.
inline tensor::Index places_for_half(const float* weights, tensor::Index count) {
  std::vector<float> sorted(weights, weights + count);
  std::ranges::sort(sorted, std::greater<>());
  double sum = 0;
  tensor::Index places = 0;
  while (places < count && sum < 0.5) sum += static_cast<double>(sorted[size(places++)]);
  return places;
}

}  // namespace attention::convolutional
