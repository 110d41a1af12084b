// Rung 3, openmp: planes and kernels of rung 2, shared out among the threads.
//
// What changed: four pragmas. A thread owns the planes of the input's gradient that it sums up, and the kernels: nobody
// else adds to them, so there is no race, and the sums are those of rung 2. Had the threads shared the images instead,
// all of them would add to the same weights.
#include "rungs/convolution_backward_plane.hpp"
#include "rungs/convolution_backward_rungs.hpp"

namespace attention::convolutional {

void convolution_backward_openmp(const ConvolutionBackwardProblem& p, ConvolutionBackwardOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel() * p.kernel();
  tensor::UnsetBuffer input(static_cast<std::size_t>(p.batch() * p.in_channels() * padded_size(p)));
  tensor::UnsetBuffer gradient(static_cast<std::size_t>(p.batch() * p.out_channels() * padded_size(p)));
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index i = 0; i < p.batch() * p.in_channels(); ++i) pad_batch_plane(p, p.input.data(), i, input.data());
#pragma omp for schedule(static)
    for (Index i = 0; i < p.batch() * p.out_channels(); ++i)
      pad_batch_plane(p, p.output_gradient.data(), i, gradient.data());
#pragma omp for collapse(2) schedule(static) nowait
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.in_channels(); ++c) plane_gradient(p, gradient.data(), b, c, out.plane_of(b, c));
#pragma omp for schedule(static)
    for (Index o = 0; o < p.out_channels(); ++o) {
      for (Index c = 0; c < p.in_channels(); ++c)
        kernel_gradient(p, input.data(), o, c, out.weight_gradient.data() + (o * p.in_channels() + c) * kernel);
      out.bias_gradient.data()[o] = bias_gradient(p, o);
    }
  }
}

}  // namespace attention::convolutional
