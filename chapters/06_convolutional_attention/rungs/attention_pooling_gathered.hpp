#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "rungs/attention_pooling_vector.hpp"
#include "rungs/image_by_image.hpp"

/// Attention pooling block by block: what is gathered of some places, and how it is joined to what was gathered before.
namespace attention::convolutional {

/// What one block gives, and what is gathered of several: the largest score, Σ exp(e − it), Σ exp(e − it) x.
struct Gathered {
  float largest = -std::numeric_limits<float>::infinity();
  float total = 0;
};

/// all += block, both scaled to the larger maximum.
inline void join(Gathered& all, float* all_sums, const Gathered& block, const float* block_sums, Index channels) {
  const float largest = std::max(all.largest, block.largest);
  // Where nothing was gathered yet, or nothing but scores of −inf: nothing to scale.
  const float keep = all.largest == largest ? 1 : std::exp(all.largest - largest);
  const float take = block.largest == largest ? 1 : std::exp(block.largest - largest);
  all.largest = largest;
  all.total = keep * all.total + take * block.total;
  for (Index c = 0; c < channels; ++c) all_sums[c] = keep * all_sums[c] + take * block_sums[c];
}

/// Σ exp(e − it) of a block's scores, and the exponentials into `e`, where `largest` is the largest of them.
inline float exponentials_below(const float* score, Index n, float largest, float* e) {
  // As long as every score is −inf there is nothing to subtract (−inf − −inf would be NaN).
  return exponentials(score, n, largest == -std::numeric_limits<float>::infinity() ? 0 : largest, 1, e);
}

/// The weighted mean, and the scores as weights.
inline void finish(const AttentionPoolingProblem& p, Index b, const Gathered& all, AttentionPoolingOutput& out) {
  const float share = 1 / all.total;
  for (Index c = 0; c < p.channels(); ++c) out.output_of(b)[c] *= share;
  exponentials(out.weights_of(b), p.places(), all.largest, share, out.weights_of(b));
}

/// The whole batch, image by image in `blocks` blocks: gather(image, block, sums) gives one block's, its Σ exp(e − largest) x in `sums`,
/// and its scores where the answer's weights will be. The blocks are joined in their order.
template <class Gather>
void gather_and_join(const AttentionPoolingProblem& p, Index blocks, AttentionPoolingOutput& out, Gather gather) {
  const Index channels = p.channels();
  const Index slots = image_slots(p.batch());
  tensor::Buffer sums(static_cast<std::size_t>(slots * blocks * channels));
  std::vector<Gathered> gathered(static_cast<std::size_t>(slots * blocks));
  image_by_image(
      p.batch(),
      ImageStage(blocks, [&](Index b, Index slot, Index block) {
        const Index at = slot * blocks + block;
        gathered[static_cast<std::size_t>(at)] = gather(b, block, sums.data() + at * channels);
      }),
      ImageStage(1, [&](Index b, Index slot, Index) {
        Gathered all;
        std::fill_n(out.output_of(b), channels, 0.F);
        for (Index at = slot * blocks; at < (slot + 1) * blocks; ++at)
          join(all, out.output_of(b), gathered[static_cast<std::size_t>(at)], sums.data() + at * channels, channels);
        finish(p, b, all, out);
      }));
}

}  // namespace attention::convolutional
