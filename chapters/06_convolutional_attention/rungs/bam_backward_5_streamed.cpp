// Backward, rung 5, streamed: image by image, while it is in the cache; dF past the caches.
//
// What changed: the order. F and dF′ of an image are read for the sums, chunk by chunk; its branches are gone through;
// and its dF is written while both are still near, the last map first. So the roof is three passes over memory: F and
// dF′ once, dF once. Fewer images than threads: the threads share each image's chunks and maps, and the sums come in
// the same order.
#include <omp.h>

#include <vector>

#include "rungs/bam_backward_rungs.hpp"
#include "rungs/bam_backward_vector.hpp"
#include "rungs/image_by_image.hpp"

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
  std::vector<Image> images(static_cast<std::size_t>(image_slots(parts.count)), Image(f));
  std::vector<Parts> scratch(static_cast<std::size_t>(omp_get_max_threads()), Parts(f));
  const auto image = [&](Index slot) -> Image& { return images[static_cast<std::size_t>(slot)]; };
  const auto own = [&]() -> Parts& { return scratch[static_cast<std::size_t>(omp_get_thread_num())]; };
  image_by_image(
      parts, ImageStage(chunks_of(f), [&](Index b, Index slot, Index chunk) { image(slot).gather(p, b, chunk, own()); }),
      ImageStage(1, [&](Index b, Index slot, Index) { image(slot).branches(p, b, sums(parts.part_of(b)), own()); }),
      ImageStage(f.channels(), [&](Index b, Index slot, Index turn) {
        image(slot).spread(p, b, f.channels() - 1 - turn, sums(parts.part_of(b)), own(), out);
      }));
  finish_sums(f, parts.count, partial, out);
}

std::size_t bam_backward_streamed_workspace(const BamBackwardProblem& p) {
  const BamProblem& f = p.forward;
  const Index threads = omp_get_max_threads();
  const Index parts = GatheredParts(f.batch()).count;
  const Index images = image_slots(parts);
  return static_cast<std::size_t>(images * Image::floats(f) + threads * Parts::floats(f) + parts * BamSums::floats(f)) *
         sizeof(float);
}

}  // namespace attention::convolutional
