// Backward, rung 3, openmp: the positions and the channels of rung 2, shared out among the threads.
//
// What changed: two pragmas. A thread owns positions of dY, then channels of all that comes after: no two add to the
// same number. The middle is chapter 2's rung 3, which shares the heads; a block has one head, so one image keeps one
// thread busy there.
#include "backward_rung.hpp"
#include "rungs/non_local_backward_channel.hpp"
#include "rungs/non_local_backward_rungs.hpp"

namespace attention::convolutional {

void non_local_backward_openmp(const NonLocalBackwardProblem& p, NonLocalBackwardOutput& out) {
  prepare(p, out);
  const NonLocalProblem& f = p.forward;
  dot_product::BackwardProblem middle = p.kept;
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < f.batch() * f.positions(); ++i)
    mean_gradient(p, i, middle.output_gradient.data() + i * f.inner());
  dot_product::BackwardOutput gradients;
  dot_product::backward_rung("openmp").run(middle, gradients);
#pragma omp parallel for schedule(static)
  for (Index c = 0; c < f.channels(); ++c) channel_gradients(p, c, gradients, out);
}

std::size_t non_local_backward_openmp_workspace(const NonLocalBackwardProblem& p) {
  return non_local_middle_workspace("openmp", p);
}

}  // namespace attention::convolutional
