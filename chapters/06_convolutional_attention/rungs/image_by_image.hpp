#pragma once

#include <omp.h>

#include <algorithm>
#include <utility>

#include "machine/caches.hpp"
#include "rungs/gathered_parts.hpp"
#include "rungs/streaming_store.hpp"
#include "tensor/tensor.hpp"

/// Everything of one image before the next, so that what is read again is still in the cache.
namespace attention::convolutional {

using tensor::Index;

/// A step that an image passes through, in `parts` that need not wait for each other: run(image, slot, part). What later steps
/// need of it is kept in the scratch memory that `slot` numbers.
template <class Run>
struct ImageStage {
  ImageStage(Index parts_, Run run_) : parts(parts_), run(std::move(run_)) {}
  Index parts;
  Run run;
};

/// How many images are under way together, each with scratch memory of its own, where `units` images, or parts of them, are shared out.
inline Index image_slots(Index units) { return units >= omp_get_max_threads() ? omp_get_max_threads() : 1; }

/// Parts of a stage whose work may be cut anywhere: one where the images are shared out, else `shared`.
inline Index parts_when_shared(Index units, Index shared) { return units >= omp_get_max_threads() ? 1 : shared; }

/// Takes every image through all stages, the images of one part of `images` by one thread, in their order: they may add to sums of that
/// part. Fewer parts than threads: the threads share the parts of each stage of one image. The stages' parts are the same either
/// way, so the result does not depend on the number of threads.
template <class... Run>
void image_by_image(const GatheredParts& images, const ImageStage<Run>&... stages) {
  const bool whole_images = images.count >= omp_get_max_threads();  // as image_slots() has counted
#pragma omp parallel
  {
    if (whole_images) {
      const Index slot = omp_get_thread_num();
#pragma omp for schedule(static)
      for (Index part_of_images = 0; part_of_images < images.count; ++part_of_images)
        for (Index b = images.first_of(part_of_images); b < images.first_of(part_of_images + 1); ++b) {
          const auto all_parts = [&](const auto& stage) {
            for (Index part = 0; part < stage.parts; ++part) stage.run(b, slot, part);
          };
          (all_parts(stages), ...);
        }
    } else {
      for (Index b = 0; b < images.pieces; ++b) {
        const auto shared_parts = [&](const auto& stage) {
#pragma omp for schedule(static)
          for (Index part = 0; part < stage.parts; ++part) stage.run(b, Index{0}, part);
        };
        (shared_parts(stages), ...);
      }
    }
    finish_streaming();
  }
}

/// The same where images have nothing in common.
template <class... Run>
void image_by_image(Index batch, const ImageStage<Run>&... stages) {
  image_by_image(GatheredParts(batch, batch), stages...);
}

/// The same where each thread has images of its own, but for this: while one image is written, the next is read. `both` does with each
/// part what the last stage does with it for this image, and then what the first stage does with it for the next: what the first
/// keeps may not be what the last still needs. Both have as many parts.
template <class First, class Both, class Last, class... Middle>
void image_by_image_ahead(Index batch, const ImageStage<First>& first, const ImageStage<Both>& both, const ImageStage<Last>& last,
                          const ImageStage<Middle>&... middle) {
#pragma omp parallel
  {
    const Index slot = omp_get_thread_num();
    const Index begin = batch * slot / omp_get_num_threads();
    const Index end = batch * (slot + 1) / omp_get_num_threads();
    const auto all_parts = [&](const auto& stage, Index b) {
      for (Index part = 0; part < stage.parts; ++part) stage.run(b, slot, part);
    };
    if (begin < end) all_parts(first, begin);
    for (Index b = begin; b < end; ++b) {
      (all_parts(middle, b), ...);
      if (b + 1 < end)
        all_parts(both, b);
      else
        all_parts(last, b);
    }
    finish_streaming();
  }
}

/// Whether that pays: two images of so many floats must fit in a core's second-level cache or in its share of the last level, and every
/// thread must have images. (Where the second level is too small for both, what it puts out to make room lies in the last level: still
/// nearer than memory.)
inline bool may_read_ahead(Index batch, Index image_floats) {
  const Index threads = omp_get_max_threads();
  const Index near = std::max(static_cast<Index>(machine::caches().l2.bytes), static_cast<Index>(machine::caches().last_level_bytes()) / threads);
  return batch >= threads && 2 * image_floats * static_cast<Index>(sizeof(float)) <= near;
}

}  // namespace attention::convolutional
