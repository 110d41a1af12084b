// Exercise 1, formula: output = softmax(scale · Q Kᵀ) V, as plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) {
        const float* query = p.query_of(b, h) + i * p.dim();
        float* weights = out.weights_of(b, h) + i * p.keys();
        float largest = -std::numeric_limits<float>::infinity();
        for (Index j = 0; j < p.keys(); ++j) {
          const float* key = p.key_of(b, h) + j * p.dim();
          float score = 0;
          for (Index c = 0; c < p.dim(); ++c) score += query[c] * key[c];
          weights[j] = score * p.scale;
          largest = std::max(largest, weights[j]);
        }
        float total = 0;
        for (Index j = 0; j < p.keys(); ++j) {
          weights[j] = std::exp(weights[j] - largest);
          total += weights[j];
        }
        for (Index j = 0; j < p.keys(); ++j) weights[j] /= total;
        out.lse_of(b, h)[i] = largest + std::log(total);

        float* output = out.output_of(b, h) + i * p.value_dim();
        std::fill(output, output + p.value_dim(), 0.F);
        for (Index j = 0; j < p.keys(); ++j)
          for (Index c = 0; c < p.value_dim(); ++c) output[c] += weights[j] * p.value_of(b, h)[j * p.value_dim() + c];
      }
}

}  // namespace attention::dot_product
