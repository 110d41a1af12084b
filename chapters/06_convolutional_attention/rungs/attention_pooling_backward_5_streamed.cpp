// Backward, rung 5, streamed: block by block, the maps read once, dx written once and past the caches.
//
// What changed: forward has left y, and with it D is known before the first place is looked at. So no place waits for
// another: 512 places are scored with dy, and while they are in the cache they give dw and dx. With 64 channels a block
// takes 131 kB. The roof is two passes over memory, one read and one write, whatever the size of an image.
//
// All blocks add to dw: parts of them have sums of their own (gathered_parts.hpp).
#include <omp.h>

#include "rungs/attention_pooling_backward_passes.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/gathered_parts.hpp"

namespace attention::convolutional {

namespace {

Index image_blocks(const AttentionPoolingProblem& f) {
  return (f.places() + attention_pooling_block - 1) / attention_pooling_block;
}

void one_block(const AttentionPoolingBackwardProblem& p, Index b, Index first, float* weight_gradient,
               AttentionPoolingBackwardOutput& out) {
  using Parts = AttentionPoolingBackwardVector<true>;
  const AttentionPoolingProblem& f = p.forward;
  const Index count = std::min(attention_pooling_block, f.places() - first);
  const float* a = p.weights_of(b) + first;
  const float* dy = p.output_gradient_of(b);
  alignas(64) float de[attention_pooling_block];
  sums_of_channels(f.image_of(b), f.places(), f.channels(), dy, first, first + count, de);
  const float D = weighted_gradient<Parts>(p, b);
#pragma omp simd
  for (Index i = 0; i < count; ++i) de[i] = a[i] * (de[i] - D);
  // Those read last are the nearest.
  for (Index c = f.channels() - 1; c >= 0; --c) {
    weight_gradient[c] += dot(de, f.map_of(b, c) + first, count);
    Parts::spread(a, dy[c], de, f.weight.data()[c], count, out.map_of(b, c) + first);
  }
}

}  // namespace

void attention_pooling_backward_streamed(const AttentionPoolingBackwardProblem& p,
                                         AttentionPoolingBackwardOutput& out) {
  prepare(p, out);
  const AttentionPoolingProblem& f = p.forward;
  const Index blocks = image_blocks(f);
  const GatheredParts parts(f.batch() * blocks);
  tensor::Buffer partial(static_cast<std::size_t>(parts.count * f.channels()));
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index part = 0; part < parts.count; ++part)
      for (Index piece = parts.first_of(part); piece < parts.first_of(part + 1); ++piece)
        one_block(p, piece / blocks, piece % blocks * attention_pooling_block, partial.data() + part * f.channels(),
                  out);
    finish_streaming();
  }
  add_parts(partial.data(), parts.count, f.channels(), out.weight.data());
}

std::size_t attention_pooling_backward_streamed_workspace(const AttentionPoolingBackwardProblem& p) {
  const Index floats = GatheredParts(p.forward.batch() * image_blocks(p.forward)).count * p.forward.channels();
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace attention::convolutional
