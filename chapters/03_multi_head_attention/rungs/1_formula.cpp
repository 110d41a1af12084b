// Rung 1, formula: the three lines of the paper, written with xtensor, one head after the other.
//
// What it shows: W_Q, W_K and W_V of one head make three matrices of X; chapter 2's formula makes one head's output of them;
// and Concat(heads) W_O is the sum of head_h W_O[h], so that nothing need be concatenated.
#include "rungs/heads.hpp"
#include "rungs/rungs.hpp"
#include "rungs/xtensor_product.hpp"

namespace attention::multi_head {

void formula(const Problem& p, Output& out) {
  prepare(p, out);
  dot_product::Problem heads = room_for_heads(p);
  for (Index b = 0; b < p.batch(); ++b) {
    Tensor<2> X = xt::view(p.input, b);
    if (p.sampled()) X = Tensor<2>(xt::view(X, xt::keep(p.rows)));
    for (Index h = 0; h < p.heads(); ++h) {
      const Index g = key_head(p, h);
      xt::view(heads.query, b, h) = xtensor_product(X, xt::view(p.W_Q, h));
      xt::view(heads.key, b, h) = xtensor_product(X, xt::view(p.W_K, g));
      xt::view(heads.value, b, h) = xtensor_product(X, xt::view(p.W_V, g));
    }
  }
  take_all_keys(p, heads);
  const dot_product::Output head = attend("formula", heads);
  out.output.fill(0);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      xt::view(out.output, b) += xtensor_product(xt::view(head.output, b, h), xt::view(p.W_O, h));
}

}  // namespace attention::multi_head
