// Backward, rung 2, loops: the gradients of all gates, then the way through all layers, then all maps, as plain loops.
//
// What changed: pointers instead of expressions. A map is read once for its rows and its columns together. A sum is one
// chain.
#include "rungs/coordinate_backward_passes.hpp"
#include "rungs/coordinate_backward_rungs.hpp"

namespace attention::convolutional {

void coordinate_backward_loops(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  coordinate_backward_in_passes<CoordinateBackwardPlain>(p, out, false);
}

std::size_t coordinate_backward_passes_workspace(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  const Index scratch = std::max(layers_scratch(f), combine_lines_scratch(f.width()));
  return static_cast<std::size_t>(f.batch() * f.channels() * f.lines() +
                                  GatheredParts(f.batch()).count * CoordinateSums::floats(f) +
                                  3 * f.channels() * f.hidden() + omp_get_max_threads() * scratch) *
         sizeof(float);
}

}  // namespace attention::convolutional
