// Rung 2, loops: the sum as six plain loops (image and channel; row, column; row and column of the kernel).
//
// What changed: every output is summed in a register and written once, and one plane with its border is in the nearest
// cache while that happens. What stays slow: one output is one chain of additions.
#include "rungs/depthwise_plane.hpp"
#include "rungs/depthwise_rungs.hpp"

namespace attention::convolutional {

void depthwise_loops(const DepthwiseProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  tensor::Buffer padded(static_cast<std::size_t>(padded_size(p)));
  for (Index plane = 0; plane < p.planes(); ++plane) convolve_depthwise_plane(p, plane, padded.data(), out);
}

std::size_t depthwise_loops_workspace(const DepthwiseProblem& p) {
  return static_cast<std::size_t>(padded_size(p)) * sizeof(float);
}

}  // namespace attention::convolutional
