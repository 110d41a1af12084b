// Rung 4, simd: tiles, and an exponential for each pair and hidden unit, sixteen side by side.
//
// What changed: the scores of a tile are those of forward's rung 9. The gradients have the hidden units side by side: a, b and
// their gradients are read as they lie, and no sum goes across lanes. 1 − tanh² and tanh itself both come from r = 1 / (1 + e^2x).
#include <omp.h>

#include "rungs/backward_rungs.hpp"
#include "rungs/backward_tile.hpp"

namespace attention::additive {

void backward_simd(const BackwardProblem& problem, BackwardOutput& out) { backward_by_tiles(problem, false, out); }

std::size_t backward_tile_workspace(const BackwardProblem& problem) {
  const Problem& p = problem.inputs;
  const KeyParts parts(p);
  const Index stride = round_up(p.hidden(), quotient_units);
  return sizeof(float) * (Factors::floats(p) + ProjectionGradients::floats(p, stride, parts.count) +
                          static_cast<std::size_t>(omp_get_max_threads() *
                                                   BackwardPart::floats(p, std::min(parts.keys, round_up(p.keys(), panel_keys)))));
}

}  // namespace attention::additive
