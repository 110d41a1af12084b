// Rung 3, openmp: the output planes of rung 2, shared out among the threads.
//
// What changed: two pragmas. No output plane needs another. With one thread this rung is rung 2.
#include "rungs/convolution_plane.hpp"
#include "rungs/convolution_rungs.hpp"

namespace attention::convolutional {

void convolution_openmp(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index image = p.in_channels() * padded_size(p);
  tensor::Buffer padded(static_cast<std::size_t>(p.batch() * image));
#pragma omp parallel
  {
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.in_channels(); ++c) pad_plane(p, b, c, padded.data() + b * image + c * padded_size(p));
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index o = 0; o < p.out_channels(); ++o) convolve_plane(p, padded.data() + b * image, b, o, out);
  }
}

}  // namespace attention::convolutional
