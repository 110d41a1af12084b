// Rung 5, factorised: e^2(a + b) = e^2a · e^2b here, too.
//
// What changed: one multiplication instead of an exponential. What is left for a pair and a hidden unit is a reciprocal and three
// sums. Unlike the scores, which are sums of quotients, the gradients need each quotient alone, so none shares a reciprocal.
#include "rungs/backward_rungs.hpp"
#include "rungs/backward_tile.hpp"

namespace attention::additive {

void backward_factorised(const BackwardProblem& problem, BackwardOutput& out) { backward_by_tiles(problem, true, out); }

}  // namespace attention::additive
