#pragma once

#include "rungs/cbam_passes.hpp"
#include "rungs/map.hpp"
#include "rungs/places.hpp"

namespace attention::convolutional {

/// The parts of CBAM by vectors.
struct CbamVector {
  static SumAndMaximum over_places(const float* x, Index n) { return map_sum_and_maximum(x, n); }
  static float product(const float* a, const float* b, Index n) { return dot(a, b, n); }
  static void over_channels(const CbamProblem& p, Index b, const float* gate, float* mean, float* largest) {
    weighted_mean_and_maximum(p.image_of(b), p.places(), p.channels(), 0, p.places(), gate, mean, largest);
  }
  static void sigmoids(const float* z, Index n, float* to) { sigmoid_row(z, n, to); }
  static void multiply(const float* x, Index n, float channel_gate, const float* spatial_gate, float* to) {
    scale_places<false>(x, n, channel_gate, spatial_gate, to);
  }
};

}  // namespace attention::convolutional
