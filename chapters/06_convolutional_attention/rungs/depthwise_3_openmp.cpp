// Rung 3, openmp: the planes of rung 2, shared out among the threads. With one thread this rung is rung 2.
#include <omp.h>

#include "rungs/depthwise_plane.hpp"
#include "rungs/depthwise_rungs.hpp"

namespace attention::convolutional {

void depthwise_openmp(const DepthwiseProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
#pragma omp parallel
  {
    tensor::Buffer padded(static_cast<std::size_t>(padded_size(p)));
#pragma omp for schedule(static)
    for (Index plane = 0; plane < p.planes(); ++plane) convolve_depthwise_plane(p, plane, padded.data(), out);
  }
}

std::size_t depthwise_openmp_workspace(const DepthwiseProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads()) * depthwise_loops_workspace(p);
}

}  // namespace attention::convolutional
