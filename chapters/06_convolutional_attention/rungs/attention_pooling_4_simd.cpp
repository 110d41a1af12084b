// Rung 4, simd: the same passes by vectors.
//
// What changed: the scores of 128 places stay in registers while the channels pass, the exponentials are chapter 2's vector
// function, and an output has four chains of vectors.
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/attention_pooling_vector.hpp"

namespace attention::convolutional {

void attention_pooling_simd(const AttentionPoolingProblem& p, AttentionPoolingOutput& out) {
  prepare(p, out);
  const Index places = p.places();
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      scores_of_places(p, b, 0, places, out.weights_of(b));
      vector_softmax(out.weights_of(b), places);
    }
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.channels(); ++c) out.output_of(b)[c] = dot(out.weights_of(b), p.map_of(b, c), places);
  }
}

}  // namespace attention::convolutional
