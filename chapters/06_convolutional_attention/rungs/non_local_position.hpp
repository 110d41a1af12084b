#pragma once

#include <algorithm>
#include <cmath>

#include "non_local.hpp"

namespace attention::convolutional {

/// One channel of a 1×1 convolution in plain loops: to[i] = Σ_c weight[c] · x[c, i].
inline void embed_channel(const float* weight, const float* x, Index channels, Index positions, float* to) {
  std::fill_n(to, positions, 0.F);
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < positions; ++i) to[i] += weight[c] * x[c * positions + i];
}

/// What one position gets, in plain loops: what the rungs "loops" and "openmp" do for every position. theta, phi and g are
/// [inner, positions]; `y` holds `inner` floats.
inline void look_around(const NonLocalProblem& p, const float* theta, const float* phi, const float* g, Index b, Index i, float* y,
                        NonLocalOutput& out) {
  const Index positions = p.positions();
  const Index inner = p.inner();
  float* weights = out.weights.data() + (b * positions + i) * positions;

  // f(x_i, x_j) = exp(θ(x_i) · φ(x_j)), the largest score taken out
  std::fill_n(weights, positions, 0.F);
  for (Index e = 0; e < inner; ++e)
    for (Index j = 0; j < positions; ++j) weights[j] += theta[e * positions + i] * phi[e * positions + j];
  const float largest = *std::max_element(weights, weights + positions);
  float total = 0;
  for (Index j = 0; j < positions; ++j) {
    weights[j] = std::exp(weights[j] - largest);
    total += weights[j];
  }
  for (Index j = 0; j < positions; ++j) weights[j] /= total;

  // y_i = Σ_j weights_ij · g(x_j)
  for (Index e = 0; e < inner; ++e) {
    y[e] = 0;
    for (Index j = 0; j < positions; ++j) y[e] += weights[j] * g[e * positions + j];
  }
  // z_i = W_z y_i + x_i
  for (Index c = 0; c < p.channels(); ++c) {
    float z = 0;
    for (Index e = 0; e < inner; ++e) z += p.out_weight.data()[c * inner + e] * y[e];
    out.output.data()[(b * p.channels() + c) * positions + i] = z + p.image_of(b)[c * positions + i];
  }
}

}  // namespace attention::convolutional
