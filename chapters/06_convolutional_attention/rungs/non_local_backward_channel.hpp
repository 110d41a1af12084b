#pragma once

#include <algorithm>

#include "non_local_backward.hpp"

/// The products around the middle in plain loops: what the rungs "loops" and "openmp" do for every position and every
/// channel.
namespace attention::convolutional {

/// dY_i = W_zᵀ dZ_i of position i, counted through the batch.
inline void mean_gradient(const NonLocalBackwardProblem& p, Index i, float* to) {
  const NonLocalProblem& f = p.forward;
  const float* dz = p.output_gradient_of(i / f.positions()) + i % f.positions();
  std::fill_n(to, f.inner(), 0.F);
  for (Index c = 0; c < f.channels(); ++c)
    for (Index e = 0; e < f.inner(); ++e) to[e] += dz[c * f.positions()] * f.out_weight.data()[c * f.inner() + e];
}

/// All that belongs to channel c: its row of dW_z, its columns of dθ, dφ and dg, its maps of dX.
inline void channel_gradients(const NonLocalBackwardProblem& p, Index c, const dot_product::BackwardOutput& middle,
                              NonLocalBackwardOutput& out) {
  const NonLocalProblem& f = p.forward;
  const Index positions = f.positions();
  const Index inner = f.inner();
  const Index channels = f.channels();
  const float* const weights[] = {f.theta.data(), f.phi.data(), f.g.data()};
  const float* const gradients[] = {middle.query_gradient.data(), middle.key_gradient.data(),
                                    middle.value_gradient.data()};
  float* const to[] = {out.theta.data(), out.phi.data(), out.g.data()};
  float* out_weight = out.out_weight.data() + c * inner;
  std::fill_n(out_weight, inner, 0.F);
  for (float* gradient : to)
    for (Index e = 0; e < inner; ++e) gradient[e * channels + c] = 0;
  for (Index b = 0; b < f.batch(); ++b) {
    const float* x = f.image_of(b) + c * positions;
    const float* dz = p.output_gradient_of(b) + c * positions;
    float* dx = out.input.data() + (b * channels + c) * positions;
    for (Index i = 0; i < positions; ++i) {
      const Index row = (b * positions + i) * inner;
      for (Index e = 0; e < inner; ++e) out_weight[e] += dz[i] * p.kept.output.data()[row + e];
      float sum = dz[i];
      for (std::size_t m = 0; m < 3; ++m)
        for (Index e = 0; e < inner; ++e) {
          sum += weights[m][e * channels + c] * gradients[m][row + e];
          to[m][e * channels + c] += x[i] * gradients[m][row + e];
        }
      dx[i] = sum;
    }
  }
}

}  // namespace attention::convolutional
