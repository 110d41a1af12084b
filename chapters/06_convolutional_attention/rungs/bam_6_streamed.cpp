// Rung 6, streamed: one read for both branches; the output goes past the caches.
//
// What changed: the first pass. Both branches read all of F and wait for nothing, so what is loaded for a mean is mixed for f₀
// while it is in a register. And the store, as for the channel gates. One read from memory, one from the cache and one write
// remain: the passes of squeeze-and-excitation, which has no spatial branch. What is left above these is the sigmoid.
#include "rungs/bam_image.hpp"
#include "rungs/sum_and_mix.hpp"

namespace attention::convolutional {

namespace {

struct Streamed {
  static void read(const BamProblem& p, const float* x, Index n, float* sums, float* mixed) {
    const BamLayer& mix = p.spatial[0];
    sum_and_mix(x, p.places(), n, p.channels(), mix.weight.data(), mix.bias.data(), p.hidden(), sums, mixed, bam_mixed_stride);
  }
  static void multiply(const BamFactors& by, const float* x, Index n, float* to) {
    multiply_places<true>(x, n, by.channel, by.spatial, to);
  }
};

}  // namespace

void bam_streamed(const BamProblem& p, BamOutput& out) { bam_image_by_image<Streamed>(p, out); }

}  // namespace attention::convolutional
