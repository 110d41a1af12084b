#include "exercises/mistakes.hpp"

#include <cmath>

#include "exercise/attention_mistakes.hpp"

namespace attention::additive {

namespace {

using exercise::Arrays;
using Matrix = std::vector<double>;

struct Fault {
  bool no_tanh = false;
  bool two_tanhs = false;
  bool no_v = false;
  bool scaled = false;
  bool transposed_W = false;
  bool transposed_U = false;
  bool no_query = false;
};

/// weight · row for every row of `rows`: [rows × hidden].
Matrix project(const Tensor<2>& rows, const Tensor<2>& weight, bool transposed) {
  const Index dim = tensor::extent(rows, 1);
  const Index hidden = tensor::extent(weight, 0);
  Matrix all;
  for (Index i = 0; i < tensor::extent(rows, 0); ++i)
    for (Index h = 0; h < hidden; ++h) {
      double sum = 0;
      for (Index c = 0; c < dim; ++c)
        sum += static_cast<double>(weight.data()[transposed ? c * hidden + h : h * dim + c]) *
               static_cast<double>(rows.data()[i * dim + c]);
      all.push_back(sum);
    }
  return all;
}

/// Additive attention in float64 with a fault.
Arrays answer(const Problem& p, const Fault& fault, exercise::SoftmaxFault softmax) {
  Matrix query = project(p.query, p.W, fault.transposed_W);
  if (fault.no_query) query.assign(query.size(), 0);
  const Matrix key = project(p.key, p.U, fault.transposed_U);
  const Index hidden = p.hidden();
  const double scale = fault.scaled ? 1 / std::sqrt(static_cast<double>(hidden)) : 1;
  Matrix scores;
  for (Index i = 0; i < p.queries(); ++i)
    for (Index j = 0; j < p.keys(); ++j) {
      double score = 0;
      for (Index h = 0; h < hidden; ++h) {
        const double a = query[static_cast<std::size_t>(i * hidden + h)];
        const double b = key[static_cast<std::size_t>(j * hidden + h)];
        const double unit = fault.no_tanh ? a + b : fault.two_tanhs ? std::tanh(a) + std::tanh(b) : std::tanh(a + b);
        score += (fault.no_v ? 1 : static_cast<double>(p.v.data()[h])) * unit;
      }
      scores.push_back(score * scale);
    }
  exercise::Attended all =
      exercise::attend(scores, Matrix(p.value.begin(), p.value.end()), p.queries(), p.keys(), p.value_dim(), softmax);
  return {std::move(all.output), std::move(all.lse), std::move(all.weights)};
}

}  // namespace

std::vector<exercise::Mistake<Problem>> mistakes() {
  return exercise::attention_mistakes<Problem, Fault>(
      {{"no_tanh",
        "The tanh is left out: then the query adds the same to every score, and the softmax takes it away again.",
        {.no_tanh = true}},
       {"two_tanhs", "tanh is taken of W q and of U k alone: it is tanh(W q + U k), of the sum.", {.two_tanhs = true}},
       {"no_v", "The hidden units are added up without v: unit h counts v[h].", {.no_v = true}},
       {"wrong_scale",
        "The scores are divided by sqrt(hidden): that belongs to dot products; here the score is vᵀ tanh(…) as it is.",
        {.scaled = true}},
       {"transposed_W", "W is read as its transpose: row h of W begins at W[h * query_dim].", {.transposed_W = true}},
       {"transposed_U", "U is read as its transpose: row h of U begins at U[h * key_dim].", {.transposed_U = true}},
       {"no_query", "The query plays no part: every row of weights is the same.", {.no_query = true}}},
      answer);
}

}  // namespace attention::additive
