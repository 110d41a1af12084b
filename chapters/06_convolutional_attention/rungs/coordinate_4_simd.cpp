// Rung 4, simd: the same passes by vectors.
//
// What changed: a vector of places is loaded once, added to the sums of its columns, lane by lane, and to its row's sum, whose lanes
// are added at the end of the row. What comes next is asked for in time. The gates' products hold 64 lines of four outputs in
// registers, h-swish and σ are vector functions. The last pass sees a map as one run of vectors, whatever the rows' length.
#include "rungs/coordinate_rungs.hpp"
#include "rungs/coordinate_vector.hpp"

namespace attention::convolutional {

void coordinate_simd(const CoordinateProblem& p, CoordinateOutput& out) { coordinate_in_passes<CoordinateVector<false>>(p, out, true); }

std::size_t coordinate_passes_workspace(const CoordinateProblem& p) {
  const Index scratch = std::max(p.hidden() * p.lines(), CoordinateVector<false>::factors(p));
  return static_cast<std::size_t>(p.batch() * p.channels() * p.lines() + omp_get_max_threads() * scratch) * sizeof(float);
}

}  // namespace attention::convolutional
