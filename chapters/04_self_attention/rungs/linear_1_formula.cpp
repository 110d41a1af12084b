// Linear rung 1, formula: equation 8 as it stands, written with xtensor.
//
// What it shows: a cheaper score alone does not save anything. All n × n products of features are made and stored, those of
// later tokens are set to 0, every row is divided by its sum. Time and memory grow with n², as those of softmax do.
#include "rungs/linear_rungs.hpp"

namespace attention::self_attention {

namespace {

/// φ(x) = elu(x) + 1.
Tensor<2> features(const Tensor<2>& x) { return xt::where(x > 0.F, x + 1.F, xt::exp(x)); }

/// The same for queries: rows of negative entries are divided by their largest feature first, which cancels.
Tensor<2> query_features(const Tensor<2>& x) {
  const Tensor<1> largest = xt::minimum(xt::amax(x, {1}), 0.F);
  const auto shift = xt::view(largest, xt::all(), xt::newaxis());
  return xt::where(shift < 0.F, xt::exp(x - shift), features(x));
}

}  // namespace

void linear_formula(const LinearProblem& p, LinearOutput& out) {
  using xt::all;
  prepare(p, out, false);
  const auto n = static_cast<std::size_t>(p.n());
  for (std::size_t b = 0; b < static_cast<std::size_t>(p.batch()); ++b)
    for (std::size_t h = 0; h < static_cast<std::size_t>(p.heads()); ++h) {
      const Tensor<2> query = query_features(xt::view(p.query, b, h));
      const Tensor<2> key = features(xt::view(p.key, b, h));
      const Tensor<2> key_columns = xt::transpose(key);

      // weights = φ(Q) φ(K)ᵀ, row i the sum over c of φ(q_i)_c · (column c of φ(K))
      Tensor<2> weights = xt::zeros<float>({n, n});
      for (std::size_t i = 0; i < n; ++i) {
        auto row = xt::view(weights, i);
        for (std::size_t c = 0; c < query.shape()[1]; ++c) row += query(i, c) * xt::view(key_columns, c);
      }
      // what is masked becomes 0
      const auto place = xt::arange<std::ptrdiff_t>(p.n());
      const auto seen = xt::view(place, xt::newaxis(), all()) <= xt::view(place, all(), xt::newaxis());
      weights = xt::where(seen, weights, 0.F);
      // output = weights · V over the keys that are seen, divided by the weights' sum
      const Tensor<1> total = xt::sum(weights, {1});
      for (std::size_t i = 0; i < n; ++i) {
        auto row = xt::view(out.output, b, h, i);
        row = xt::zeros<float>({static_cast<std::size_t>(p.value_dim())});
        for (std::size_t j = 0; j <= i; ++j) row += weights(i, j) * xt::view(p.value, b, h, j);
        row *= total(i) == 0 ? 0 : 1 / total(i);
      }
    }
}

std::size_t linear_formula_workspace(const LinearProblem& p) {
  // The weights, once more while they are masked; features of queries and keys.
  return static_cast<std::size_t>(2 * p.n() * p.n() + 4 * p.n() * p.dim()) * sizeof(float);
}

}  // namespace attention::self_attention
