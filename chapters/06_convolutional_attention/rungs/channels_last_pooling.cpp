// Attention pooling, channels last, in one pass: a block of places is scored and added while it is in the nearest cache. The scores are
// sums across the lanes of a vector; the weighted sums need no more than a factor for each place.
#include <limits>

#include "rungs/attention_pooling_gathered.hpp"
#include "rungs/channels_last.hpp"
#include "rungs/channels_last_gates.hpp"

namespace attention::convolutional {

namespace {
constexpr Index block = 64;  ///< places: 16 kB with 64 channels
}

void attention_pooling_channels_last(const AttentionPoolingProblem& p, const Tensor<4>& maps, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index channels = p.channels();
  const Index places = p.places();
  gather_and_join(p, (places + block - 1) / block, out, [&](Index b, Index part, float* sums) {
    const Index first = part * block;
    const Index count = std::min(block, places - first);
    const float* x = maps.data() + b * p.image_size() + first * channels;
    float* score = out.weights_of(b) + first;
    alignas(64) float e[block];
    Gathered g;
    sum_channels<false>(x, count, channels, p.weight.data(), score, nullptr);
    g.largest = largest_of(score, count, -std::numeric_limits<float>::infinity());
    g.total = exponentials_below(score, count, g.largest, e);
    sum_places<true, false>(x, count, channels, e, sums, nullptr);
    return g;
  });
}

}  // namespace attention::convolutional
