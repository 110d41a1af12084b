// Rung 5, tiled: image by image, so that the second pass finds the image in the cache.
//
// What changed: the order. Scores, weights and outputs of one image, then of the next. An image that fits in the second-level
// cache is read from memory once. The outputs are made from the last channel to the first. Fewer images than threads: the threads
// share the places, and then the channels.
#include <omp.h>

#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/attention_pooling_vector.hpp"

namespace attention::convolutional {

void attention_pooling_tiled(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index places = p.places();
  const auto output = [&](Index b, Index c) { out.output_of(b)[c] = dot(out.weights_of(b), p.map_of(b, c), places); };
  if (p.batch() >= omp_get_max_threads()) {
#pragma omp parallel for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      scores_of_places(p, b, 0, places, out.weights_of(b));
      vector_softmax(out.weights_of(b), places);
      for (Index c = p.channels() - 1; c >= 0; --c) output(b, c);
    }
    return;
  }
  for (Index b = 0; b < p.batch(); ++b) {
#pragma omp parallel
    {
#pragma omp for schedule(static)
      for (Index first = 0; first < places; first += attention_pooling_block)
        scores_of_places(p, b, first, std::min(first + attention_pooling_block, places), out.weights_of(b) + first);
#pragma omp single
      vector_softmax(out.weights_of(b), places);
#pragma omp for schedule(static)
      for (Index c = 0; c < p.channels(); ++c) output(b, c);
    }
  }
}

}  // namespace attention::convolutional
