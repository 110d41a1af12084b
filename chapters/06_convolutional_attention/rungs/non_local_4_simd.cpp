// Rung 4, simd: all products keep a block of their result in registers; the softmax uses vectors.
//
// What changed: an image [channels, positions] is already a matrix as the micro-kernel wants it on its right side, and so is φ:
// neither needs packing. θ and g are transposed, a position's entries side by side. Blocks of 96 positions then go through
// scores, softmax, y and W_z together. The n × n weights are still stored, and read again.
#include <algorithm>

#include "rungs/non_local_product.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

namespace {

/// What one image needs beside its weights. Positions are padded to whole panels, `inner` too where it is on the right side.
struct Embedded {
  Index positions;  ///< padded
  Index values;     ///< inner, padded
  tensor::Buffer x, theta, phi, theta_rows, g, g_rows;

  explicit Embedded(const NonLocalProblem& p) : positions(whole_panels(p.positions())), values(whole_panels(p.inner())) {
    const auto size = [](Index n) { return static_cast<std::size_t>(n); };
    x.resize(size(p.channels() * positions));
    for (tensor::Buffer* buffer : {&theta, &phi, &theta_rows, &g}) buffer->resize(size(p.inner() * positions));
    g_rows.resize(size(positions * values));
  }
};

/// The embeddings of positions first … first + count.
void embed(const NonLocalProblem& p, Index b, Index first, Index count, Embedded& e) {
  const Index inner = p.inner();
  const Index channels = p.channels();
  for (Index c = 0; c < channels; ++c) {
    float* to = e.x.data() + c * e.positions + first;
    std::copy_n(p.image_of(b) + c * p.positions() + first, count, to);
    std::fill(to + count, to + whole_panels(count), 0.F);
  }
  const auto project = [&](const Tensor<2>& weight, tensor::Buffer& to) {
    multiply(inner, count, channels, weight.data(), channels, e.x.data() + first, e.positions, to.data() + first, e.positions);
  };
  project(p.theta, e.theta);
  project(p.phi, e.phi);
  project(p.g, e.g);
  simd::transpose(e.theta.data() + first, e.positions, inner, count, e.theta_rows.data() + first * inner, inner);
  simd::transpose(e.g.data() + first, e.positions, inner, count, e.g_rows.data() + first * e.values, e.values);
}

/// Weights and output of positions first … first + count. `y` and `y_columns` hold a block of positions × padded inner.
void attend(const NonLocalProblem& p, Index b, Index first, Index count, const Embedded& e, float* y, float* y_columns,
            NonLocalOutput& out) {
  const Index positions = p.positions();
  const Index inner = p.inner();
  float* weights = out.weights.data() + (b * positions + first) * positions;
  multiply(count, positions, inner, e.theta_rows.data() + first * inner, inner, e.phi.data(), e.positions, weights, positions);
  for (Index i = 0; i < count; ++i) softmax_row(weights + i * positions, positions);
  multiply(count, inner, positions, weights, positions, e.g_rows.data(), e.values, y, e.values);
  // z = W_z y + x, with positions along the rows again
  simd::transpose(y, e.values, count, inner, y_columns, block_positions);
  const Index at = b * p.channels() * positions + first;
  multiply(p.channels(), count, inner, p.out_weight.data(), inner, y_columns, block_positions, out.output.data() + at, positions,
           p.input.data() + at);
}

}  // namespace

void non_local_simd(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, true);
  const Index positions = p.positions();
  Embedded e(p);
#pragma omp parallel
  {
    tensor::Buffer y(static_cast<std::size_t>(block_positions * e.values));
    tensor::Buffer y_columns(static_cast<std::size_t>(block_positions * p.inner()));
    for (Index b = 0; b < p.batch(); ++b) {
#pragma omp for schedule(static)
      for (Index first = 0; first < positions; first += block_positions)
        embed(p, b, first, std::min(block_positions, positions - first), e);
#pragma omp for schedule(dynamic)
      for (Index first = 0; first < positions; first += block_positions)
        attend(p, b, first, std::min(block_positions, positions - first), e, y.data(), y_columns.data(), out);
    }
  }
}

std::size_t non_local_simd_workspace(const NonLocalProblem& p) {
  const Index positions = whole_panels(p.positions());
  const Index embedded = positions * (p.channels() + 4 * p.inner() + whole_panels(p.inner()));
  return static_cast<std::size_t>(p.batch() * p.positions() * p.positions() + embedded) * sizeof(float);
}

}  // namespace attention::convolutional
