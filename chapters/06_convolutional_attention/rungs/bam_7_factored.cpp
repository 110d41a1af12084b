// Rung 7, factored: no exponential for an element.
//
// What changed: the last pass. σ(a + b) = 1/(1 + e^−a e^−b): one exponential a channel and one a place, and a multiplication where
// each element of each map had an exponential. Where |a| or |b| is above 43, a product of the two could leave float32: there the
// element has its own exponential, as before.
#include "rungs/bam_image.hpp"
#include "rungs/reciprocal.hpp"
#include "rungs/sum_and_mix.hpp"

namespace attention::convolutional {

namespace {

/// to = (1 + 1/(1 + e^−a · e^−b)) · x for n places of a map, from its own e^−a and the places' e^−b.
void multiply_factored(const float* x, Index n, float channel_decay, const float* place_decay, float* to) {
  const simd::Float one = simd::broadcast(1.F);
  const simd::Float decay = simd::broadcast(channel_decay);
  stream_places(n, to, [&](Index at, Index count) __attribute__((always_inline)) {
    const simd::Float value = load_up_to(x + at, count);
    return value + value * reciprocal(one + decay * load_up_to(place_decay + at, count));
  });
}

struct Factored {
  static void read(const BamProblem& p, const float* x, Index n, float* sums, float* mixed) {
    const BamLayer& mix = p.spatial[0];
    sum_and_mix(x, p.places(), n, p.channels(), mix.weight.data(), mix.bias.data(), p.hidden(), sums, mixed, bam_mixed_stride);
  }
  static void multiply(const BamFactors& by, const float* x, Index n, float* to) {
    if (by.near)
      multiply_factored(x, n, by.channel_decay, by.spatial_decay, to);
    else
      multiply_places<true>(x, n, by.channel, by.spatial, to);
  }
};

}  // namespace

void bam_factored(const BamProblem& p, BamOutput& out) { bam_image_by_image<Factored>(p, out); }

}  // namespace attention::convolutional
