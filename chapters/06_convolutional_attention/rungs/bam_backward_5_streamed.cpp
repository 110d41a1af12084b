// Backward, rung 5, streamed: image by image, while it is in the cache; dF past the caches.
//
// What changed: the order. F and dF′ of an image are read for the sums, chunk by chunk; its branches are gone through;
// and its dF is written while both are still near, the last map first. So the roof is three passes over memory: F and
// dF′ once, dF once. Fewer images than threads: the threads share each image's chunks and maps, and the sums come in
// the same order.
#include "rungs/bam_backward_rungs.hpp"
#include "rungs/bam_backward_vector.hpp"

namespace attention::convolutional {

namespace {

using Parts = BamBackwardVector<true>;

/// Places of a chunk: 4 kB of each map.
constexpr Index chunk_places = 64 * simd::lanes;

Index chunks_of(const BamProblem& f) { return (f.places() + chunk_places - 1) / chunk_places; }

/// One image on its way: its chunks' sums over their places [chunks × channels], and its gradients.
struct Image {
  tensor::Buffer chunk_sums;
  BamGradients gradients;
  explicit Image(const BamProblem& f)
      : chunk_sums(static_cast<std::size_t>(chunks_of(f) * f.channels())), gradients(f) {}
  static Index floats(const BamProblem& f) { return chunks_of(f) * f.channels() + BamGradients::floats(f); }

  void gather(const BamBackwardProblem& p, Index b, Index chunk, Parts& parts) {
    const Index first = chunk * chunk_places;
    parts.prepare_gates(p, b);
    parts.gather(p, b, first, std::min(chunk_places, p.forward.places() - first),
                 chunk_sums.data() + chunk * p.forward.channels(), gradients.places.data() + first);
  }
  void branches(const BamBackwardProblem& p, Index b, float* partial, Parts& parts) {
    const BamSums sums(p.forward, partial);
    add_parts(chunk_sums.data(), chunks_of(p.forward), p.forward.channels(), gradients.channels.data());
    channel_branch_backward(p, b, sums, gradients.channels.data());
    spatial_branch_backward(p, b, sums, parts, gradients);
  }
  void spread(const BamBackwardProblem& p, Index b, Index c, float* partial, Parts& parts, BamBackwardOutput& out) {
    mix_backward<Parts>(p.forward, b, c, gradients.inner.data(), BamSums(p.forward, partial));
    parts.prepare_gates(p, b);
    parts.spread(p, b, c, gradients.channels[static_cast<std::size_t>(c)], gradients.inner.data(), out);
  }
};

}  // namespace

void bam_backward_streamed(const BamBackwardProblem& p, BamBackwardOutput& out) {
  prepare(p, out);
  const BamProblem& f = p.forward;
  const GatheredParts parts(f.batch());
  tensor::Buffer partial(static_cast<std::size_t>(parts.count * BamSums::floats(f)));
  const auto sums = [&](Index part) { return partial.data() + part * BamSums::floats(f); };
  if (parts.count >= omp_get_max_threads()) {
#pragma omp parallel
    {
      Parts own(f);
      Image image(f);
#pragma omp for schedule(static)
      for (Index part = 0; part < parts.count; ++part)
        for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b) {
          for (Index chunk = 0; chunk < chunks_of(f); ++chunk) image.gather(p, b, chunk, own);
          image.branches(p, b, sums(part), own);
          for (Index c = f.channels() - 1; c >= 0; --c) image.spread(p, b, c, sums(part), own, out);
        }
      finish_streaming();
    }
  } else {
    Image image(f);
#pragma omp parallel
    {
      Parts own(f);
      for (Index part = 0; part < parts.count; ++part)
        for (Index b = parts.first_of(part); b < parts.first_of(part + 1); ++b) {
#pragma omp for schedule(static)
          for (Index chunk = 0; chunk < chunks_of(f); ++chunk) image.gather(p, b, chunk, own);
#pragma omp single
          image.branches(p, b, sums(part), own);
#pragma omp for schedule(static)
          for (Index turn = 0; turn < f.channels(); ++turn)
            image.spread(p, b, f.channels() - 1 - turn, sums(part), own, out);
        }
      finish_streaming();
    }
  }
  finish_sums(f, parts.count, partial, out);
}

std::size_t bam_backward_streamed_workspace(const BamBackwardProblem& p) {
  const BamProblem& f = p.forward;
  const Index threads = omp_get_max_threads();
  const Index parts = GatheredParts(f.batch()).count;
  const Index images = parts >= threads ? threads : 1;
  return static_cast<std::size_t>(images * Image::floats(f) + threads * Parts::floats(f) + parts * BamSums::floats(f)) *
         sizeof(float);
}

}  // namespace attention::convolutional
