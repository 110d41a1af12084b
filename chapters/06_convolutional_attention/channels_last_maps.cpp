#include "channels_last_maps.hpp"

#include "simd/transpose.hpp"

namespace attention::convolutional {

namespace {

/// Every image's matrix of rows × columns turned.
void turn_images(const Tensor<4>& from, Index rows, Index columns, Tensor<4>& to) {
  for (Index b = 0; b < tensor::extent(from, 0); ++b)
    simd::transpose(from.data() + b * rows * columns, columns, rows, columns, to.data() + b * rows * columns, rows);
}

}  // namespace

Tensor<4> channels_last(const Tensor<4>& maps) {
  const auto& s = maps.shape();
  auto turned = tensor::empty<4>({s[0], s[2], s[3], s[1]});
  turn_images(maps, tensor::extent(maps, 1), tensor::extent(maps, 2) * tensor::extent(maps, 3), turned);
  return turned;
}

Tensor<4> channels_first(const Tensor<4>& maps) {
  const auto& s = maps.shape();
  auto turned = tensor::empty<4>({s[0], s[3], s[1], s[2]});
  turn_images(maps, tensor::extent(maps, 1) * tensor::extent(maps, 2), tensor::extent(maps, 3), turned);
  return turned;
}

}  // namespace attention::convolutional
