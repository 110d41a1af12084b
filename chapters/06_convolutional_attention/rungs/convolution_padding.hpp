#pragma once

#include <algorithm>

#include "convolution.hpp"

namespace attention::convolutional {

/// Rows first … last − 1 of an image's plane with `radius` columns of zeros on both sides, one row after the other. Rows before
/// 0 and from `height` on are zeros.
inline void pad_rows(const float* plane, Index height, Index width, Index radius, Index first, Index last, float* to) {
  for (Index y = first; y < last; ++y) {
    if (y < 0 || y >= height) {
      to = std::fill_n(to, width + 2 * radius, 0.F);
    } else {
      to = std::fill_n(to, radius, 0.F);
      to = std::copy_n(plane + y * width, width, to);
      to = std::fill_n(to, radius, 0.F);
    }
  }
}

/// Floats of one plane with its border.
inline Index padded_size(const ConvolutionProblem& p) {
  return (p.height() + 2 * p.radius()) * (p.width() + 2 * p.radius());
}

/// One plane of one image with its border.
inline void pad_plane(const ConvolutionProblem& p, Index b, Index c, float* to) {
  pad_rows(p.image_of(b) + c * p.pixels(), p.height(), p.width(), p.radius(), -p.radius(), p.height() + p.radius(), to);
}

}  // namespace attention::convolutional
