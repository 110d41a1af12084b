// Backward, rung 2, loops: the same in plain loops.
//
// What changed: nothing is turned round. A channel at a time, so that what belongs to a channel is finished before the
// next: its gradients in four matrices of weights, and its maps of dX. Chapter 2's rung 2 in the middle recomputes the
// weights pair by pair.
#include "backward_rung.hpp"
#include "rungs/non_local_backward_channel.hpp"
#include "rungs/non_local_backward_rungs.hpp"

namespace attention::convolutional {

void non_local_backward_loops(const NonLocalBackwardProblem& p, NonLocalBackwardOutput& out) {
  prepare(p, out);
  const NonLocalProblem& f = p.forward;
  dot_product::BackwardProblem middle = p.kept;
  for (Index i = 0; i < f.batch() * f.positions(); ++i)
    mean_gradient(p, i, middle.output_gradient.data() + i * f.inner());
  dot_product::BackwardOutput gradients;
  dot_product::backward_rung("loops").run(middle, gradients);
  for (Index c = 0; c < f.channels(); ++c) channel_gradients(p, c, gradients, out);
}

std::size_t non_local_backward_loops_workspace(const NonLocalBackwardProblem& p) {
  return non_local_middle_workspace("loops", p);
}

}  // namespace attention::convolutional
