#pragma once

#include <array>
#include <string_view>

#include "backward_rung.hpp"
#include "multi_head_backward.hpp"

namespace attention::multi_head {

/// dQ, dK and dV of all heads from dH, by chapter 2's rung of that name.
inline dot_product::BackwardOutput backward_of_heads(std::string_view rung, const dot_product::BackwardProblem& heads) {
  dot_product::BackwardOutput out;
  dot_product::backward_rung(rung).run(heads, out);
  return out;
}

/// What the heads take: what forward kept of them with dH, their gradients, and chapter 2's rung.
inline std::size_t backward_heads_workspace(std::string_view rung, const BackwardProblem& p) {
  const Index floats = p.rows() * (8 * p.columns() + p.head_count());
  return static_cast<std::size_t>(floats) * sizeof(float) + dot_product::backward_rung(rung).workspace(p.heads);
}

/// A projection's matrix, the gradient that its heads' columns got, and where the gradient of the matrix goes.
struct ProjectionGradient {
  const Tensor<3>* W;         ///< [heads, width, dim]
  const Tensor<4>* from;      ///< [batch, heads, n, dim]
  Tensor<3>* to;              ///< [heads, width, dim]
};
inline std::array<ProjectionGradient, 3> projection_gradients(const BackwardProblem& p, const dot_product::BackwardOutput& heads,
                                                              BackwardOutput& out) {
  return {{{&p.W_Q, &heads.query_gradient, &out.W_Q}, {&p.W_K, &heads.key_gradient, &out.W_K}, {&p.W_V, &heads.value_gradient, &out.W_V}}};
}

/// Row i of head h of sequence b in [batch, heads, n, dim].
inline Index row_of(const BackwardProblem& p, Index b, Index h, Index i) { return ((b * p.head_count() + h) * p.n() + i) * p.dim(); }

}  // namespace attention::multi_head
