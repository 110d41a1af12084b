// Backward, rung 4, simd: the same passes by vectors.
//
// What changed: maps and gradients of the dilated convolutions get a border of zeros, and a tap becomes a distance in
// memory: a weight's gradient is one scalar product over the whole map, and no tap asks where the edge is. The gates
// are forward's rung 7: a product of two exponentials and an estimate of a reciprocal.
#include "rungs/bam_backward_rungs.hpp"
#include "rungs/bam_backward_vector.hpp"

namespace attention::convolutional {

void bam_backward_simd(const BamBackwardProblem& p, BamBackwardOutput& out) {
  bam_backward_in_passes<BamBackwardVector<false>>(p, out, true);
}

std::size_t bam_backward_simd_workspace(const BamBackwardProblem& p) {
  return bam_backward_passes_workspace(p) +
         static_cast<std::size_t>(omp_get_max_threads() * BamBackwardVector<false>::floats(p.forward)) * sizeof(float);
}

}  // namespace attention::convolutional
