// Linear rung 3, openmp: the same, the heads shared among the threads.
//
// What changed: one pragma. A token cannot begin before the one ahead of it has been taken in, so within a head there is nothing
// to share: one head runs on one thread, however many there are.
#include <omp.h>

#include "rungs/linear_recurrence.hpp"
#include "rungs/linear_rungs.hpp"

namespace attention::self_attention {

void linear_step(const LinearPass& p) {
#pragma omp parallel
  {
    tensor::Buffer features(static_cast<std::size_t>(2 * p.dim));
#pragma omp for collapse(2) schedule(dynamic)
    for (Index b = 0; b < p.batch; ++b)
      for (Index g = 0; g < p.key_heads; ++g) recur(p, b, g, features.data());
  }
}

void linear_openmp(const LinearProblem& p, LinearOutput& out) { linear_step(pass_of(p, out)); }

std::size_t linear_openmp_workspace(const LinearProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads()) * linear_loops_workspace(p);
}

}  // namespace attention::self_attention
