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
      // p.queries() queries, p.keys() keys and values; the factor on a score is p.scale. Each of these points to row 0:
      //   rows of p.dim() numbers        p.query_of(b, h), p.key_of(b, h)
      //   rows of p.value_dim() numbers  p.value_of(b, h), out.output_of(b, h)
      //   rows of p.keys() numbers       out.weights_of(b, h)
      //   one number a query             out.lse_of(b, h): the logarithm of the sum of exp(scores)
    }
}

}  // namespace attention::dot_product
