// Rung 5, tiled: image by image, so that the second pass finds the image in the cache.
//
// What changed: the order. Scores, weights and outputs of one image, then of the next. An image that fits in the second-level
// cache is read from memory once. The outputs are made from the last channel to the first. Fewer images than threads: the threads
// share the places, and then the channels.
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/attention_pooling_vector.hpp"
#include "rungs/image_by_image.hpp"

namespace attention::convolutional {

void attention_pooling_tiled(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index places = p.places();
  const Index blocks = parts_when_shared(p.batch(), (places + attention_pooling_block - 1) / attention_pooling_block);
  image_by_image(
      p.batch(),
      ImageStage(blocks, [&](Index b, Index, Index part) {
        const Index first = part * attention_pooling_block;
        const Index last = blocks == 1 ? places : std::min(first + attention_pooling_block, places);
        scores_of_places(p, b, first, last, out.weights_of(b) + first);
      }),
      ImageStage(1, [&](Index b, Index, Index) { vector_softmax(out.weights_of(b), places); }),
      ImageStage(p.channels(), [&](Index b, Index, Index turn) {
        const Index c = p.channels() - 1 - turn;
        out.output_of(b)[c] = dot(out.weights_of(b), p.map_of(b, c), places);
      }));
}

}  // namespace attention::convolutional
