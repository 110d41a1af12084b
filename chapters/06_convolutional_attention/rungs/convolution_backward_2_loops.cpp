// Rung 2, loops: the three sums as plain loops over contiguous memory.
//
// What changed: each gradient is summed in a register and written once. Input and G are copied with their borders
// first. What stays slow: one gradient is one chain of additions, each waiting for the last. For a weight that chain is
// as long as the whole batch has places.
#include "rungs/convolution_backward_plane.hpp"
#include "rungs/convolution_backward_rungs.hpp"

namespace attention::convolutional {

void convolution_backward_loops(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel() * p.kernel();
  tensor::UnsetBuffer input(static_cast<std::size_t>(p.batch() * p.in_channels() * padded_size(p)));
  tensor::UnsetBuffer gradient(static_cast<std::size_t>(p.batch() * p.out_channels() * padded_size(p)));
  for (Index i = 0; i < p.batch() * p.in_channels(); ++i) pad_batch_plane(p, p.input.data(), i, input.data());
  for (Index i = 0; i < p.batch() * p.out_channels(); ++i)
    pad_batch_plane(p, p.output_gradient.data(), i, gradient.data());
  for (Index b = 0; b < p.batch(); ++b)
    for (Index c = 0; c < p.in_channels(); ++c) plane_gradient(p, gradient.data(), b, c, out.plane_of(b, c));
  for (Index o = 0; o < p.out_channels(); ++o) {
    for (Index c = 0; c < p.in_channels(); ++c)
      kernel_gradient(p, input.data(), o, c, out.weight_gradient.data() + (o * p.in_channels() + c) * kernel);
    out.bias_gradient.data()[o] = bias_gradient(p, o);
  }
}

std::size_t convolution_backward_padded_workspace(const ConvolutionBackwardProblem& p) {
  return static_cast<std::size_t>(p.batch() * (p.in_channels() + p.out_channels()) * padded_size(p)) * sizeof(float);
}

}  // namespace attention::convolutional
