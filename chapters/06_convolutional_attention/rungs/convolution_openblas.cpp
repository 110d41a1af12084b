// Beside the ladder, openblas: im2col again, the product by the library that NumPy and SciPy call. Blocks of image rows share
// the threads; each block's product runs on one thread.
#include <omp.h>

#include <algorithm>

#include "rungs/convolution_padding.hpp"
#include "rungs/convolution_rungs.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::convolutional {

namespace {

/// Image rows whose patches are held at a time: about 512 pixels.
Index block_rows(const ConvolutionProblem& p) { return std::clamp<Index>(512 / p.width(), 1, p.height()); }

}  // namespace

#ifdef ATTENTION_HAS_OPENBLAS
void convolution_openblas(const ConvolutionProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const Index kernel = p.kernel();
  const Index row = p.width() + 2 * p.radius();
  const Index block = block_rows(p);
  const Index blocks = (p.height() + block - 1) / block;
  const Index image = p.in_channels() * padded_size(p);
  tensor::Buffer padded(static_cast<std::size_t>(p.batch() * image));
#pragma omp parallel
  {
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index c = 0; c < p.in_channels(); ++c) pad_plane(p, b, c, padded.data() + b * image + c * padded_size(p));
    tensor::Buffer patches(static_cast<std::size_t>(p.depth() * block * p.width()));
#pragma omp for collapse(2) schedule(dynamic)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index i = 0; i < blocks; ++i) {
        const Index first = i * block;
        const Index rows = std::min(block, p.height() - first);
        const Index pixels = rows * p.width();
        float* to = patches.data();
        for (Index c = 0; c < p.in_channels(); ++c)
          for (Index u = 0; u < kernel; ++u)
            for (Index v = 0; v < kernel; ++v)
              for (Index y = first; y < first + rows; ++y)
                to = std::copy_n(padded.data() + b * image + c * padded_size(p) + (y + p.dilation * u) * row + p.dilation * v,
                                   p.width(), to);
        for (Index o = 0; o < p.out_channels(); ++o)
          std::fill_n(out.plane_of(b, o) + first * p.width(), pixels, p.bias.data()[o]);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<blasint>(p.out_channels()),
                    static_cast<blasint>(pixels), static_cast<blasint>(p.depth()), 1.F, p.weight.data(),
                    static_cast<blasint>(p.depth()), patches.data(), static_cast<blasint>(pixels), 1.F,
                    out.plane_of(b, 0) + first * p.width(), static_cast<blasint>(p.pixels()));
      }
  }
}
#endif

std::size_t convolution_openblas_workspace(const ConvolutionProblem& p) {
  const Index patches = omp_get_max_threads() * p.depth() * block_rows(p) * p.width();
  return static_cast<std::size_t>(p.batch() * p.in_channels() * padded_size(p) + patches) * sizeof(float);
}

}  // namespace attention::convolutional
