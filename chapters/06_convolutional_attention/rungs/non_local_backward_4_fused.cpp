// Backward, rung 4, fused: chapter 2's top rung in the middle, and the micro-kernel for the products around it.
//
// What changed: the weights of no more than a tile exist. Around the middle a block of 128 positions is worked on
// together. dY and Y want a position's entries side by side, dX a channel's: where a factor lies the wrong way, its
// block is turned round by registers.
//
// The weights' gradients are sums over all positions of all images: parts of the blocks have sums of their own
// (gathered_parts.hpp).
#include <omp.h>

#include <algorithm>

#include "backward_rung.hpp"
#include "rungs/gathered_parts.hpp"
#include "rungs/non_local_backward_rungs.hpp"
#include "rungs/non_local_rows.hpp"

namespace attention::convolutional {

namespace {

/// Blocks of positions of an image.
Index image_blocks(const NonLocalProblem& f) { return (f.positions() + block_positions - 1) / block_positions; }

/// Sums of one part: dθ, dφ and dg below each other [3 · inner × channels], then dW_z [channels × inner].
Index sum_floats(const NonLocalProblem& f) { return 4 * f.inner() * f.channels(); }

/// What a thread turns round: blocks of positions.
struct Blocks {
  tensor::Buffer x_rows;     ///< Xᵀ: [positions × channels], padded
  tensor::Buffer y_rows;     ///< Y: [positions × inner], padded
  tensor::Buffer gradients;  ///< dQᵀ, dKᵀ, dVᵀ below each other: [3 · inner × positions]

  explicit Blocks(const NonLocalProblem& f)
      : x_rows(size(block_positions * whole_panels(f.channels()))),
        y_rows(size(block_positions * whole_panels(f.inner()))),
        gradients(size(3 * f.inner() * block_positions)) {}
  static Index floats(const NonLocalProblem& f) {
    return block_positions * (whole_panels(f.channels()) + whole_panels(f.inner()) + 3 * f.inner());
  }
};

/// dY of all positions.
void mean_gradients(const NonLocalBackwardProblem& p, Tensor<4>& to) {
  const NonLocalProblem& f = p.forward;
  const Index channels = f.channels();
  const Index inner = f.inner();
  const Index stride = whole_panels(inner);
  tensor::Buffer weight(static_cast<std::size_t>(channels * stride));
  for (Index c = 0; c < channels; ++c) std::copy_n(f.out_weight.data() + c * inner, inner, weight.data() + c * stride);
#pragma omp parallel
  {
    tensor::Buffer rows(static_cast<std::size_t>(block_positions * channels));
#pragma omp for schedule(static)
    for (Index block = 0; block < f.batch() * image_blocks(f); ++block) {
      const Index b = block / image_blocks(f);
      const Index first = block % image_blocks(f) * block_positions;
      const Index count = std::min(block_positions, f.positions() - first);
      simd::transpose(p.output_gradient_of(b) + first, f.positions(), channels, count, rows.data(), channels);
      multiply(count, inner, channels, rows.data(), channels, weight.data(), stride,
               to.data() + (b * f.positions() + first) * inner, inner);
    }
  }
}

/// One block's positions of dX, and what it adds to `sums`. `columns` is θ, φ and g below each other, transposed:
/// [channels × 3 · inner].
void finish_block(const NonLocalBackwardProblem& p, Index b, Index first, const dot_product::BackwardOutput& middle,
                  const float* columns, Blocks& blocks, float* sums, NonLocalBackwardOutput& out) {
  const NonLocalProblem& f = p.forward;
  const Index positions = f.positions();
  const Index channels = f.channels();
  const Index inner = f.inner();
  const Index count = std::min(block_positions, positions - first);
  const Index row = (b * positions + first) * inner;
  Index beside = 0;
  for (const Tensor<4>* gradient : {&middle.query_gradient, &middle.key_gradient, &middle.value_gradient}) {
    simd::transpose(gradient->data() + row, inner, count, inner, blocks.gradients.data() + beside * block_positions,
                    block_positions);
    beside += inner;
  }
  const Index at = b * channels * positions + first;
  const float* dz = p.output_gradient.data() + at;
  // dX = dZ + [θ φ g]ᵀ [dQ dK dV]ᵀ
  multiply(channels, count, 3 * inner, columns, 3 * inner, blocks.gradients.data(), block_positions,
           out.input.data() + at, positions, dz);
  // [dθ dφ dg] += [dQ dK dV]ᵀ Xᵀ
  const Index x_stride = whole_panels(channels);
  simd::transpose(f.image_of(b) + first, positions, channels, count, blocks.x_rows.data(), x_stride);
  multiply(3 * inner, channels, count, blocks.gradients.data(), block_positions, blocks.x_rows.data(), x_stride, sums,
           channels, sums);
  // dW_z += dZ Y
  const Index y_stride = whole_panels(inner);
  for (Index i = 0; i < count; ++i)
    std::copy_n(p.kept.output.data() + row + i * inner, inner, blocks.y_rows.data() + i * y_stride);
  float* out_weight = sums + 3 * inner * channels;
  multiply(channels, inner, count, dz, positions, blocks.y_rows.data(), y_stride, out_weight, inner, out_weight);
}

}  // namespace

void non_local_backward_fused(const NonLocalBackwardProblem& p, NonLocalBackwardOutput& out) {
  prepare(p, out);
  const NonLocalProblem& f = p.forward;
  const Index inner = f.inner();
  const Index channels = f.channels();
  const GatheredParts parts(f.batch() * image_blocks(f));
  dot_product::BackwardProblem middle = p.kept;
  mean_gradients(p, middle.output_gradient);
  dot_product::BackwardOutput gradients;
  dot_product::backward_rung("parallel").run(middle, gradients);

  tensor::Buffer columns(static_cast<std::size_t>(3 * inner * channels));
  pack_weights(f, 3 * inner, columns.data());
  tensor::Buffer sums(static_cast<std::size_t>(parts.count * sum_floats(f)));
#pragma omp parallel
  {
    Blocks blocks(f);
#pragma omp for schedule(dynamic)
    for (Index part = 0; part < parts.count; ++part)
      for (Index block = parts.first_of(part); block < parts.first_of(part + 1); ++block)
        finish_block(p, block / image_blocks(f), block % image_blocks(f) * block_positions, gradients, columns.data(),
                     blocks, sums.data() + part * sum_floats(f), out);
  }
  add_parts(sums.data(), parts.count, sum_floats(f), sums.data());
  const float* all = sums.data();
  for (Tensor<2>* gradient : {&out.theta, &out.phi, &out.g, &out.out_weight}) {
    std::copy_n(all, gradient->size(), gradient->data());
    all += gradient->size();
  }
}

std::size_t non_local_backward_fused_workspace(const NonLocalBackwardProblem& p) {
  const NonLocalProblem& f = p.forward;
  const Index floats = GatheredParts(f.batch() * image_blocks(f)).count * sum_floats(f) + 3 * f.inner() * f.channels() +
                       omp_get_max_threads() * Blocks::floats(f);
  return static_cast<std::size_t>(floats) * sizeof(float) + non_local_middle_workspace("parallel", p);
}

}  // namespace attention::convolutional
