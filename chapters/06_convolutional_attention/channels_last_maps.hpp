#pragma once

#include <algorithm>

#include "feature_maps.hpp"

/// The other layout of feature maps: all channels of a place beside each other (NHWC).
namespace attention::convolutional {

/// Every matrix [rows, columns] of `from` turned.
template <class Real>
void turn_matrices(const Real* from, Index matrices, Index rows, Index columns, Real* to) {
  for (Index m = 0; m < matrices; ++m, from += rows * columns, to += rows * columns)
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
}

/// Maps [batch, channels, height, width] as [batch, height, width, channels].
template <class Real>
TensorOf<Real, 4> channels_last(const TensorOf<Real, 4>& maps) {
  const auto& s = maps.shape();
  auto turned = tensor::empty<4, Real>({s[0], s[2], s[3], s[1]});
  turn_matrices(maps.data(), tensor::extent(maps, 0), tensor::extent(maps, 1), tensor::extent(maps, 2) * tensor::extent(maps, 3), turned.data());
  return turned;
}

/// Maps [batch, height, width, channels] as [batch, channels, height, width].
template <class Real>
TensorOf<Real, 4> channels_first(const TensorOf<Real, 4>& maps) {
  const auto& s = maps.shape();
  auto turned = tensor::empty<4, Real>({s[0], s[3], s[1], s[2]});
  turn_matrices(maps.data(), tensor::extent(maps, 0), tensor::extent(maps, 1) * tensor::extent(maps, 2), tensor::extent(maps, 3), turned.data());
  return turned;
}

}  // namespace attention::convolutional
