// Exercise 2, one_pass: the online softmax (Milakov and Gimelshein 2018, algorithm 3). Each key is looked at once, and
// no weights are stored.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dot_product.hpp"

namespace attention::dot_product {

void my_one_pass(const Problem& p, Output& out) {
  prepare(p, out, false);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) {
        const float* query = p.query_of(b, h) + i * p.dim();
        float* output = out.output_of(b, h) + i * p.value_dim();
        std::fill(output, output + p.value_dim(), 0.F);
        float m_i = -std::numeric_limits<float>::infinity();  // the maximum so far
        float l_i = 0;                                        // the sum of exp(score − m_i) so far
        for (Index j = 0; j < p.keys(); ++j) {
          const float* key = p.key_of(b, h) + j * p.dim();
          const float* value = p.value_of(b, h) + j * p.value_dim();
          float score = 0;
          for (Index c = 0; c < p.dim(); ++c) score += query[c] * key[c];
          score *= p.scale;
          if (score > m_i) {
            const float correction = std::exp(m_i - score);
            l_i *= correction;
            for (Index c = 0; c < p.value_dim(); ++c) output[c] *= correction;
            m_i = score;
          }
          const float weight = std::exp(score - m_i);
          l_i += weight;
          for (Index c = 0; c < p.value_dim(); ++c) output[c] += weight * value[c];
        }
        for (Index c = 0; c < p.value_dim(); ++c) output[c] /= l_i;
        out.lse_of(b, h)[i] = m_i + std::log(l_i);
      }
}

}  // namespace attention::dot_product
