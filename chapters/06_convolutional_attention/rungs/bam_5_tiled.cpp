// Rung 5, tiled: image by image, so that F is read from memory once and twice from the cache.
//
// What changed: the order. Means, both branches and the products of one image, then of the next. The inner maps lie in small planes
// with a border of zeros: f₁ writes straight into the plane that f₂ reads, and f₂'s output is never stored, since f₃ sees one place
// at a time. The strips of the convolution's rung 5 are called here without their tensors.
#include "rungs/bam_image.hpp"

namespace attention::convolutional {

namespace {

struct Tiled {
  static void read(const BamProblem& p, const float* x, Index n, float* sums, float* mixed) {
    const BamLayer& mix = p.spatial[0];
    for (Index c = 0; c < p.channels(); ++c) sums[c] = map_sum(x + c * p.places(), n);
    mix_channels(x, p.places(), n, p.channels(), mix.weight.data(), mix.bias.data(), p.hidden(), mixed, bam_mixed_stride);
  }
  static void multiply(const BamFactors& by, const float* x, Index n, float* to) {
    multiply_places<false>(x, n, by.channel, by.spatial, to);
  }
};

}  // namespace

void bam_tiled(const BamProblem& p, BamOutput& out) { bam_image_by_image<Tiled>(p, out); }

std::size_t bam_image_workspace(const BamProblem& p) {
  // One image a thread, or one for all.
  const auto threads = static_cast<std::size_t>(omp_get_max_threads());
  const std::size_t images = p.batch() >= omp_get_max_threads() ? threads : 1;
  return images * BamImage(p).bytes() + threads * static_cast<std::size_t>(p.hidden() * bam_mixed_stride) * sizeof(float);
}

}  // namespace attention::convolutional
