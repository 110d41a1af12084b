// The softmax over the wrong axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      float* weights = out.weights_of(b, h);
      for (Index j = 0; j < p.keys(); ++j) {
        float largest = -std::numeric_limits<float>::infinity();
        for (Index i = 0; i < p.queries(); ++i) {
          float score = 0;
          for (Index c = 0; c < p.dim(); ++c)
            score += p.query_of(b, h)[i * p.dim() + c] * p.key_of(b, h)[j * p.dim() + c];
          weights[i * p.keys() + j] = score * p.scale;
          largest = std::max(largest, weights[i * p.keys() + j]);
        }
        float total = 0;
        for (Index i = 0; i < p.queries(); ++i)
          total += weights[i * p.keys() + j] = std::exp(weights[i * p.keys() + j] - largest);
        for (Index i = 0; i < p.queries(); ++i) weights[i * p.keys() + j] /= total;
      }
      for (Index i = 0; i < p.queries(); ++i) {
        out.lse_of(b, h)[i] = 0;
        float* output = out.output_of(b, h) + i * p.value_dim();
        std::fill(output, output + p.value_dim(), 0.F);
        for (Index j = 0; j < p.keys(); ++j)
          for (Index c = 0; c < p.value_dim(); ++c)
            output[c] += weights[i * p.keys() + j] * p.value_of(b, h)[j * p.value_dim() + c];
      }
    }
}

}  // namespace attention::dot_product
