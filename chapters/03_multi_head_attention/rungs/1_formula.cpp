// Rung 1, formula: the three lines of the paper, written with xtensor, one head after the other.
//
// What it shows: W_Q, W_K and W_V of one head make three matrices of X; chapter 2's formula makes one head's output of them;
// and Concat(heads) W_O is the sum of head_h W_O[h], so that nothing need be concatenated.
#include "rungs/heads.hpp"
#include "rungs/rungs.hpp"

namespace attention::multi_head {

namespace {

/// A · B, element by element through a broadcast [rows × depth × columns] that is never stored.
template <class A, class B>
Tensor<2> product(const A& a, const B& b) {
  using xt::all;
  using xt::newaxis;
  return xt::sum(xt::view(a, all(), all(), newaxis()) * xt::view(b, newaxis(), all(), all()), {1});
}

}  // namespace

void formula(const Problem& p, Output& out) {
  prepare(p, out);
  dot_product::Problem heads = room_for_heads(p);
  for (Index b = 0; b < p.batch(); ++b) {
    const Tensor<2> X = xt::view(p.input, b);
    Tensor<2> asked = X;
    if (!p.rows.empty()) asked = xt::view(X, xt::keep(p.rows));
    for (Index h = 0; h < p.heads(); ++h) {
      const Index g = key_head(p, h);
      xt::view(heads.query, b, h) = product(asked, xt::view(p.W_Q, h));
      xt::view(heads.key, b, h) = product(X, xt::view(p.W_K, g));
      xt::view(heads.value, b, h) = product(X, xt::view(p.W_V, g));
    }
  }
  const dot_product::Output head = attend("formula", heads);
  out.output.fill(0);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      xt::view(out.output, b) += product(xt::view(head.output, b, h), xt::view(p.W_O, h));
}

}  // namespace attention::multi_head
