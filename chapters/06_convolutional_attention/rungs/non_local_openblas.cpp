// Beside the ladder, openblas: six products by the library that NumPy and SciPy call, the softmax of rung 4 between them. Blocks
// of 256 positions share the threads; each block's products run on one thread.
#include <omp.h>

#include <algorithm>

#include "rungs/non_local_product.hpp"
#include "rungs/non_local_rungs.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::convolutional {

namespace {
constexpr Index library_block = 256;
}

#ifdef ATTENTION_HAS_OPENBLAS
void non_local_openblas(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, false);
  const Index positions = p.positions();
  const auto n = static_cast<blasint>(positions);
  const auto channels = static_cast<blasint>(p.channels());
  const auto inner = static_cast<blasint>(p.inner());
  const Index size = p.inner() * positions;
  tensor::Buffer embedded(static_cast<std::size_t>(3 * size));
  const float* const weights[] = {p.theta.data(), p.phi.data(), p.g.data()};
#pragma omp parallel
  {
    const Index block = std::min(library_block, positions);
    tensor::Buffer scores(static_cast<std::size_t>(block * positions));
    tensor::Buffer y(static_cast<std::size_t>(p.inner() * block));
    for (Index b = 0; b < p.batch(); ++b) {
      const float* x = p.image_of(b);
#pragma omp for schedule(static)
      for (Index i = 0; i < 3; ++i)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, inner, n, channels, 1.F, weights[i], channels, x, n, 0.F,
                    embedded.data() + i * size, n);
#pragma omp for schedule(dynamic)
      for (Index first = 0; first < positions; first += block) {
        const auto rows = static_cast<blasint>(std::min(block, positions - first));
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, rows, n, inner, 1.F, embedded.data() + first, n,
                    embedded.data() + size, n, 0.F, scores.data(), n);
        for (Index i = 0; i < rows; ++i) softmax_row(scores.data() + i * positions, positions);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, inner, rows, n, 1.F, embedded.data() + 2 * size, n, scores.data(), n,
                    0.F, y.data(), rows);
        float* z = out.output.data() + b * p.channels() * positions + first;
        for (Index c = 0; c < p.channels(); ++c) std::copy_n(x + c * positions + first, rows, z + c * positions);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, channels, rows, inner, 1.F, p.out_weight.data(), inner, y.data(),
                    rows, 1.F, z, n);
      }
    }
  }
}
#endif

std::size_t non_local_openblas_workspace(const NonLocalProblem& p) {
  const Index block = std::min(library_block, p.positions());
  const Index floats = 3 * p.inner() * p.positions() + omp_get_max_threads() * block * (p.positions() + p.inner());
  return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace attention::convolutional
