// Rung 8, ahead: the next image is asked for before it is its turn.
//
// What changed: two prefetches a tap in the two inner convolutions, and a line of the next image for every line of this one that is
// written. The inner layers work in the cache and leave the memory idle: a quarter of the time of an image. What is asked for then, and
// while the output goes to memory, is in the cache, or on its way, when the next image is read.
#include "rungs/bam_image.hpp"
#include "rungs/reciprocal.hpp"
#include "rungs/sum_and_mix.hpp"

namespace attention::convolutional {

namespace {

/// As in rung 7; meanwhile(i) is called after each block of places.
template <class Meanwhile>
void multiply_factored(const float* x, Index n, float channel_decay, const float* place_decay, float* to, Meanwhile meanwhile) {
  const simd::Float one = simd::broadcast(1.F);
  const simd::Float decay = simd::broadcast(channel_decay);
  stream_places(
      n, to,
      [&](Index at, Index count) __attribute__((always_inline)) {
        const simd::Float value = load_up_to(x + at, count);
        return value + value * reciprocal(one + decay * load_up_to(place_decay + at, count));
      },
      meanwhile);
}

struct Ahead {
  static void read(const BamProblem& p, const float* x, Index n, float* sums, float* mixed) {
    const BamLayer& mix = p.spatial[0];
    sum_and_mix(x, p.places(), n, p.channels(), mix.weight.data(), mix.bias.data(), p.hidden(), sums, mixed, bam_mixed_stride);
  }
  static void multiply(const BamFactors& by, const float* x, Index n, float* to) {
    if (by.near)
      multiply_factored(x, n, by.channel_decay, by.spatial_decay, to, Idle());
    else
      multiply_places<true>(x, n, by.channel, by.spatial, to);
  }
  static void multiply_and_ask(const BamFactors& by, const float* x, Index n, float* to, const float* next) {
    if (!by.near) return multiply(by, x, n, to);
    multiply_factored(x, n, by.channel_decay, by.spatial_decay, to, [&](Index at) __attribute__((always_inline)) { ask(next + at); });
  }
};

}  // namespace

void bam_ahead(const BamProblem& p, BamOutput& out) { bam_image_by_image<Ahead, true>(p, out); }

}  // namespace attention::convolutional
