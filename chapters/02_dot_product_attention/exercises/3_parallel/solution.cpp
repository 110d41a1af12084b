// Exercise 3, parallel: the rows are shared among the threads, and each query sees the keys that the mask lets it see.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dot_product.hpp"

namespace attention::dot_product {

void my_parallel(const Problem& p, Output& out) {
  prepare(p, out, false);
#pragma omp parallel for collapse(3)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) {
        std::vector<float> weights(static_cast<std::size_t>(p.keys()));
        const KeyRange seen = p.keys_of(i);
        const float* query = p.query_of(b, h) + i * p.dim();
        float* output = out.output_of(b, h) + i * p.value_dim();
        std::fill(output, output + p.value_dim(), 0.F);
        out.lse_of(b, h)[i] = -std::numeric_limits<float>::infinity();
        if (seen.empty()) continue;

        float largest = -std::numeric_limits<float>::infinity();
        for (Index j = seen.first; j < seen.last; ++j) {
          const float* key = p.key_of(b, h) + j * p.dim();
          float score = 0;
          for (Index c = 0; c < p.dim(); ++c) score += query[c] * key[c];
          weights[static_cast<std::size_t>(j)] = score * p.scale;
          largest = std::max(largest, score * p.scale);
        }
        float total = 0;
        for (Index j = seen.first; j < seen.last; ++j)
          total += weights[static_cast<std::size_t>(j)] = std::exp(weights[static_cast<std::size_t>(j)] - largest);
        for (Index j = seen.first; j < seen.last; ++j)
          for (Index c = 0; c < p.value_dim(); ++c)
            output[c] += weights[static_cast<std::size_t>(j)] / total * p.value_of(b, h)[j * p.value_dim() + c];
        out.lse_of(b, h)[i] = largest + std::log(total);
      }
}

}  // namespace attention::dot_product
