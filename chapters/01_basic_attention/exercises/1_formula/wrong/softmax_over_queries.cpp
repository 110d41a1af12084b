// The softmax over the wrong axis.
#include <algorithm>
#include <cmath>

#include "additive.hpp"

namespace attention::additive {

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);
  out.output.fill(0);
  out.lse.fill(0);
  for (Index j = 0; j < p.keys(); ++j) {
    float largest = -1e30F;
    for (Index i = 0; i < p.queries(); ++i) {
      float score = 0;
      for (Index h = 0; h < p.hidden(); ++h) {
        float x = 0;
        for (Index c = 0; c < p.query_dim(); ++c)
          x += p.W.data()[h * p.query_dim() + c] * p.query.data()[i * p.query_dim() + c];
        for (Index c = 0; c < p.key_dim(); ++c)
          x += p.U.data()[h * p.key_dim() + c] * p.key.data()[j * p.key_dim() + c];
        score += p.v.data()[h] * std::tanh(x);
      }
      out.weights.data()[i * p.keys() + j] = score;
      largest = std::max(largest, score);
    }
    float total = 0;
    for (Index i = 0; i < p.queries(); ++i) total += std::exp(out.weights.data()[i * p.keys() + j] - largest);
    for (Index i = 0; i < p.queries(); ++i) {
      float& weight = out.weights.data()[i * p.keys() + j];
      weight = std::exp(weight - largest) / total;
      for (Index c = 0; c < p.value_dim(); ++c)
        out.output.data()[i * p.value_dim() + c] += weight * p.value.data()[j * p.value_dim() + c];
    }
  }
}

}  // namespace attention::additive
