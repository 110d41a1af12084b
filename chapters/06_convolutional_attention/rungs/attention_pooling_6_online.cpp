// Rung 6, online: one pass over the maps, the softmax corrected as it goes.
//
// What changed: nobody needs to know all scores before the first place is added. A block of 512 places is scored, and added while
// it is still in the cache: with 64 channels it takes 131 kB. Where a block brings a larger score than all before it, what was
// gathered is scaled down by exp(old maximum − new maximum), as in chapter 2's last rung. So also an image that fits in no cache
// is read from memory once. The scores are kept, a number a place, and become weights at the end.
//
// Blocks do not need each other either: where there are fewer images than threads, each block is gathered by itself with its own
// maximum, and the blocks are joined in their order. All numbers of threads do it this way, so that all give the same bits.
#include <omp.h>

#include <cmath>

#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/attention_pooling_vector.hpp"

namespace attention::convolutional {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

Index blocks_of(const AttentionPoolingProblem& p) { return (p.places() + attention_pooling_block - 1) / attention_pooling_block; }

/// What one block gives, and what is gathered of several: the largest score, Σ exp(e − it), Σ exp(e − it) x.
struct Gathered {
  float largest = -infinity;
  float total = 0;
};

/// Σ exp(e − largest) x_c of one block, into sums[c]; its scores go to `score`.
Gathered gather_block(const AttentionPoolingProblem& p, Index b, Index block, float* score, float* sums) {
  const Index first = block * attention_pooling_block;
  const Index last = std::min(first + attention_pooling_block, p.places());
  alignas(64) float e[attention_pooling_block];
  scores_of_places(p, b, first, last, score + first);
  Gathered g;
  g.largest = largest_of(score + first, last - first, -infinity);
  // As long as every score is −inf there is nothing to subtract (−inf − −inf would be NaN).
  g.total = exponentials(score + first, last - first, g.largest == -infinity ? 0 : g.largest, 1, e);
  for (Index c = p.channels() - 1; c >= 0; --c) sums[c] = dot(e, p.map_of(b, c) + first, last - first);
  return g;
}

/// all += block, both scaled to the larger maximum.
void join(Gathered& all, float* all_sums, const Gathered& block, const float* block_sums, Index channels) {
  const float largest = std::max(all.largest, block.largest);
  // Where nothing was gathered yet, or nothing but scores of −inf: nothing to scale.
  const float keep = all.largest == largest ? 1 : std::exp(all.largest - largest);
  const float take = block.largest == largest ? 1 : std::exp(block.largest - largest);
  all.largest = largest;
  all.total = keep * all.total + take * block.total;
  for (Index c = 0; c < channels; ++c) all_sums[c] = keep * all_sums[c] + take * block_sums[c];
}

/// The weighted mean, and the scores as weights.
void finish(const AttentionPoolingProblem& p, Index b, const Gathered& all, AttentionPoolingOutput& out) {
  const float share = 1 / all.total;
  for (Index c = 0; c < p.channels(); ++c) out.output_of(b)[c] *= share;
  exponentials(out.weights_of(b), p.places(), all.largest, share, out.weights_of(b));
}

}  // namespace

void attention_pooling_online(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index blocks = blocks_of(p);
  const Index channels = p.channels();
  if (p.batch() >= omp_get_max_threads()) {
#pragma omp parallel
    {
      tensor::Buffer sums(static_cast<std::size_t>(channels));
#pragma omp for schedule(static)
      for (Index b = 0; b < p.batch(); ++b) {
        Gathered all;
        std::fill_n(out.output_of(b), channels, 0.F);
        for (Index block = 0; block < blocks; ++block)
          join(all, out.output_of(b), gather_block(p, b, block, out.weights_of(b), sums.data()), sums.data(), channels);
        finish(p, b, all, out);
      }
    }
    return;
  }
  tensor::Buffer sums(static_cast<std::size_t>(blocks * channels));
  std::vector<Gathered> gathered(static_cast<std::size_t>(blocks));
  for (Index b = 0; b < p.batch(); ++b) {
#pragma omp parallel for schedule(static)
    for (Index block = 0; block < blocks; ++block)
      gathered[static_cast<std::size_t>(block)] = gather_block(p, b, block, out.weights_of(b), sums.data() + block * channels);
    Gathered all;
    std::fill_n(out.output_of(b), channels, 0.F);
    for (Index block = 0; block < blocks; ++block)
      join(all, out.output_of(b), gathered[static_cast<std::size_t>(block)], sums.data() + block * channels, channels);
    finish(p, b, all, out);
  }
}

std::size_t attention_pooling_online_workspace(const AttentionPoolingProblem& p) {
  const Index threads = omp_get_max_threads();
  const Index rows = p.batch() >= threads ? threads : blocks_of(p);
  return static_cast<std::size_t>(rows * (p.channels() + 2)) * sizeof(float);
}

}  // namespace attention::convolutional
