#pragma once

#include <algorithm>

#include "non_local.hpp"
#include "rungs/non_local_product.hpp"

/// Positions as rows: what the fused rungs, forward and backward, make of an image before chapter 2's kernels take
/// over.
namespace attention::convolutional {

/// θ, φ and g as columns of one matrix [channels, 3 · inner], its rows padded to whole panels.
inline void pack_weights(const NonLocalProblem& p, Index stride, float* to) {
  const Index inner = p.inner();
  Index column = 0;
  for (const Tensor<2>* weight : {&p.theta, &p.phi, &p.g}) {
    simd::transpose(weight->data(), p.channels(), inner, p.channels(), to + column, stride);
    column += inner;
  }
}

/// The embeddings of all images, [batch, positions, θ φ g], rows `stride` apart, from packed weights. By all threads.
inline void embed_rows(const NonLocalProblem& p, const float* weights, Index stride, float* embedded) {
  const Index positions = p.positions();
  const Index channels = p.channels();
#pragma omp parallel
  {
    tensor::Buffer rows(static_cast<std::size_t>(block_positions * channels));
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index first = 0; first < positions; first += block_positions) {
        const Index count = std::min(block_positions, positions - first);
        simd::transpose(p.image_of(b) + first, positions, channels, count, rows.data(), channels);
        multiply(count, 3 * p.inner(), channels, rows.data(), channels, weights, stride,
                 embedded + (b * positions + first) * stride, stride);
      }
  }
}

}  // namespace attention::convolutional
