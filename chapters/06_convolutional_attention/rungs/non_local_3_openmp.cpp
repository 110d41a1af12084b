// Rung 3, openmp: the positions of rung 2, shared out among the threads.
//
// What changed: two pragmas. The embeddings are shared by channels; then no position needs another's answer. With one thread
// this rung is rung 2.
#include "rungs/non_local_position.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

void non_local_openmp(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, true);
  const Index inner = p.inner();
  const Index size = inner * p.positions();
  tensor::Buffer embedded(static_cast<std::size_t>(3 * size));
  const float* const weights[] = {p.theta.data(), p.phi.data(), p.g.data()};
#pragma omp parallel
  {
    tensor::Buffer y(static_cast<std::size_t>(inner));
    for (Index b = 0; b < p.batch(); ++b) {
#pragma omp for schedule(static)
      for (Index e = 0; e < 3 * inner; ++e)
        embed_channel(weights[e / inner] + e % inner * p.channels(), p.image_of(b), p.channels(), p.positions(),
                      embedded.data() + e * p.positions());
#pragma omp for schedule(static)
      for (Index i = 0; i < p.positions(); ++i)
        look_around(p, embedded.data(), embedded.data() + size, embedded.data() + 2 * size, b, i, y.data(), out);
    }
  }
}

}  // namespace attention::convolutional
