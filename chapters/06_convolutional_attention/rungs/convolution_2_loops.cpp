// Rung 2, loops: the sum as seven plain loops (image, output channel, row, column; input channel, row and column of the kernel).
//
// What changed: every output is summed in a register and written once. The images are copied with their border of zeros first,
// so that the inner loops need not ask where they are. What stays slow: one output is one chain of additions, each waiting for
// the last.
#include "rungs/convolution_plane.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void convolution_loops(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index image = p.in_channels() * padded_size(p);
  tensor::Buffer padded(static_cast<std::size_t>(p.batch() * image));
  for (Index b = 0; b < p.batch(); ++b) {
    for (Index c = 0; c < p.in_channels(); ++c) pad_plane(p, b, c, padded.data() + b * image + c * padded_size(p));
    for (Index o = 0; o < p.out_channels(); ++o) convolve_plane(p, padded.data() + b * image, b, o, out);
  }
}

std::size_t convolution_padded_workspace(const ConvolutionProblem& p) {
  return static_cast<std::size_t>(p.batch() * p.in_channels() * padded_size(p)) * sizeof(float);
}

}  // namespace attention::convolutional
