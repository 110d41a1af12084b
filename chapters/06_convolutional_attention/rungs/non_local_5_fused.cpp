// Rung 5, fused: the middle is chapter 2's fused attention; no n × n matrix exists.
//
// What changed: θ, φ and g of a position are queries, keys and values, so rung 6 of chapter 2 does the rest, with scale 1 and
// one head. It wants a position's entries side by side. So a block of the image is transposed, and one product with the three
// weights beside each other gives [positions, θ φ g]: the three matrices that the fused kernel reads are columns of that one.
#include <omp.h>

#include <algorithm>

#include "fused_attention.hpp"
#include "rungs/non_local_rows.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

namespace {

/// Chapter 2's problem over the embeddings [batch, positions, θ φ g] and the means [batch, positions, inner].
dot_product::FusedProblem over_positions(const NonLocalProblem& p, const float* embedded, Index stride, float* y) {
  const Index positions = p.positions();
  const Index inner = p.inner();
  dot_product::FusedProblem f;
  f.batch = p.batch();
  f.queries = f.keys = positions;
  f.dim = f.value_dim = inner;
  f.query = {embedded, positions * stride, 0, stride};
  f.key = {embedded + inner, positions * stride, 0, stride};
  f.value = {embedded + 2 * inner, positions * stride, 0, stride};
  f.output = {y, positions * inner, 0, inner};
  f.scale = 1;
  return f;
}

}  // namespace

void non_local_fused(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, false);
  const Index positions = p.positions();
  const Index channels = p.channels();
  const Index inner = p.inner();
  const Index stride = whole_panels(3 * inner);
  tensor::Buffer weights(static_cast<std::size_t>(channels * stride));
  tensor::Buffer embedded(static_cast<std::size_t>(p.batch() * positions * stride));
  tensor::Buffer y(static_cast<std::size_t>(p.batch() * positions * inner));
  pack_weights(p, stride, weights.data());
  embed_rows(p, weights.data(), stride, embedded.data());
  dot_product::fused_attention(over_positions(p, embedded.data(), stride, y.data()));

#pragma omp parallel
  {
    tensor::Buffer columns(static_cast<std::size_t>(block_positions * inner));
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index first = 0; first < positions; first += block_positions) {
        const Index count = std::min(block_positions, positions - first);
        const Index at = b * channels * positions + first;
        simd::transpose(y.data() + (b * positions + first) * inner, inner, count, inner, columns.data(), block_positions);
        multiply(channels, count, inner, p.out_weight.data(), inner, columns.data(), block_positions, out.output.data() + at,
                 positions, p.input.data() + at);
      }
  }
}

std::size_t non_local_fused_workspace(const NonLocalProblem& p) {
  const Index stride = whole_panels(3 * p.inner());
  const Index floats = p.channels() * stride + p.batch() * p.positions() * (stride + p.inner()) +
                       omp_get_max_threads() * block_positions * p.channels();
  return static_cast<std::size_t>(floats) * sizeof(float) + dot_product::fused_attention_workspace(over_positions(p, nullptr, stride, nullptr));
}

}  // namespace attention::convolutional
