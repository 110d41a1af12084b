// Rung 2, loops: the same in plain loops over contiguous memory.
//
// What changed: pointers instead of expressions. Scores are added up channel by channel over a row of positions, which the
// compiler turns into vectors by itself. What stays slow: y sums over the positions, one chain of additions after the other.
#include "rungs/non_local_position.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

void non_local_loops(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, true);
  const Index size = p.inner() * p.positions();
  tensor::Buffer embedded(static_cast<std::size_t>(3 * size));
  tensor::Buffer y(static_cast<std::size_t>(p.inner()));
  for (Index b = 0; b < p.batch(); ++b) {
    float* to = embedded.data();
    for (const Tensor<2>* weight : {&p.theta, &p.phi, &p.g})
      for (Index e = 0; e < p.inner(); ++e, to += p.positions())
        embed_channel(weight->data() + e * p.channels(), p.image_of(b), p.channels(), p.positions(), to);
    for (Index i = 0; i < p.positions(); ++i)
      look_around(p, embedded.data(), embedded.data() + size, embedded.data() + 2 * size, b, i, y.data(), out);
  }
}

std::size_t non_local_stored_workspace(const NonLocalProblem& p) {
  return static_cast<std::size_t>(p.positions() * (p.batch() * p.positions() + 3 * p.inner())) * sizeof(float);
}

}  // namespace attention::convolutional
