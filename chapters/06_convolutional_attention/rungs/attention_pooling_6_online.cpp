// Rung 6, online: one pass over the maps, the softmax corrected as it goes.
//
// What changed: nobody needs to know all scores before the first place is added. A block of 512 places is scored, and added while
// it is still in the cache: with 64 channels it takes 131 kB. Where a block brings a larger score than all before it, what was
// gathered is scaled down by exp(old maximum − new maximum), as in chapter 2's last rung. So also an image that fits in no cache
// is read from memory once. The scores are kept, a number a place, and become weights at the end.
//
// Blocks do not need each other either: where there are fewer images than threads, each block is gathered by itself with its own
// maximum, and the blocks are joined in their order. All numbers of threads do it this way, so that all give the same bits.
#include "rungs/attention_pooling_gathered.hpp"
#include "rungs/attention_pooling_rungs.hpp"

namespace attention::convolutional {

namespace {

Index blocks_of(const AttentionPoolingProblem& p) { return (p.places() + attention_pooling_block - 1) / attention_pooling_block; }

/// Σ exp(e − largest) x_c of one block, into sums[c]; its scores go to `score`.
Gathered gather_block(const AttentionPoolingProblem& p, Index b, Index block, float* score, float* sums) {
  const Index first = block * attention_pooling_block;
  const Index last = std::min(first + attention_pooling_block, p.places());
  alignas(64) float e[attention_pooling_block];
  scores_of_places(p, b, first, last, score + first);
  Gathered g;
  g.largest = largest_of(score + first, last - first, -std::numeric_limits<float>::infinity());
  g.total = exponentials_below(score + first, last - first, g.largest, e);
  for (Index c = p.channels() - 1; c >= 0; --c) sums[c] = dot(e, p.map_of(b, c) + first, last - first);
  return g;
}

}  // namespace

void attention_pooling_online(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  gather_and_join(p, blocks_of(p), out, [&](Index b, Index block, float* sums) { return gather_block(p, b, block, out.weights_of(b), sums); });
}

std::size_t attention_pooling_online_workspace(const AttentionPoolingProblem& p) {
  return static_cast<std::size_t>(image_slots(p.batch()) * blocks_of(p) * (p.channels() + 2)) * sizeof(float);
}

}  // namespace attention::convolutional
