// Exercise 1, formula: output = softmax(scale · Q Kᵀ) V, as plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);  // gives out.output, out.lse and out.weights their sizes; what they hold is not set
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      // Rows of p.dim() numbers: p.query_of(b, h), p.key_of(b, h); of p.value_dim(): p.value_of(b, h), out.output_of(b,
      // h); of p.keys(): out.weights_of(b, h). One number a query: out.lse_of(b, h), the logarithm of the sum of
      // exp(scores).
    }
}

}  // namespace attention::dot_product
