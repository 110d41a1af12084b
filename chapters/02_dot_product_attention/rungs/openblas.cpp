// Beside the ladder, openblas: the two products by the library that NumPy and SciPy call, the softmax with the vector
// exponential of rung 5. Blocks of 256 queries share the threads; each block's products run on one thread, which scales
// better than a product that is itself split, and needs 256 rows of scores a thread instead of all.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "rungs/rungs.hpp"
#include "rungs/softmax.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::dot_product {

namespace {
constexpr Index block_queries = 256;
}

#ifdef ATTENTION_HAS_OPENBLAS
void openblas(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Index all_heads = p.batch() * p.heads();
  const Index blocks = (p.queries() + block_queries - 1) / block_queries;
  const auto dim = static_cast<blasint>(p.dim());
  const auto value_dim = static_cast<blasint>(p.value_dim());
#pragma omp parallel
  {
    tensor::Buffer scores(static_cast<std::size_t>(std::min(block_queries, p.queries()) * p.keys()));
#pragma omp for collapse(2) schedule(dynamic)
    for (Index head = 0; head < all_heads; ++head)
      for (Index block = 0; block < blocks; ++block) {
        const Index first = block * block_queries;
        const auto rows = static_cast<blasint>(std::min(block_queries, p.queries() - first));
        const Index row = head * p.queries() + first;
        // Only the columns that some row of the block sees.
        KeyRange all = p.keys_of_block(first, rows);
        if (all.empty()) all = {0, 1};
        const auto keys = static_cast<blasint>(all.last - all.first);
        const Index b = head / p.heads();
        const Index h = head % p.heads();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, dim, std::copysign(1.F, p.scale), p.query.data() + row * p.dim(), dim,
                    p.key_of(b, h) + all.first * p.dim(), dim, 0.F, scores.data(), keys);
        for (Index i = 0; i < rows; ++i) {
          const KeyRange seen = p.keys_of(first + i);
          out.lse.data()[row + i] =
              masked_softmax_row(scores.data() + i * keys, keys, {seen.first - all.first, seen.last - all.first}, std::abs(p.scale));
        }
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, value_dim, keys, 1.F, scores.data(), keys,
                    p.value_of(b, h) + all.first * p.value_dim(), value_dim, 0.F,
                    out.output.data() + row * p.value_dim(), value_dim);
      }
  }
}
#endif

std::size_t openblas_workspace(const Problem& p) {
  const Index rows = std::min(block_queries, p.queries());
  return static_cast<std::size_t>(omp_get_max_threads() * rows * p.keys()) * sizeof(float);
}

}  // namespace attention::dot_product
