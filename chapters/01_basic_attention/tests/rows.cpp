// Additive attention of one sequence, for training: against the reference, with keys that do not exist, and its gradients.
#include "additive_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backward.hpp"
#include "catch.hpp"
#include "ladder/publish.hpp"

using namespace attention;
using namespace attention::additive;

namespace {

/// A problem whose projections are the rows themselves: W and U are the identity.
BackwardProblem sample(Index queries, Index keys, Index hidden, Index value_dim) {
  BackwardProblem p = make_backward(ladder::Shape({{"queries", queries}, {"keys", keys}, {"hidden", hidden}, {"dim", hidden}, {"key_dim", hidden}, {"value_dim", value_dim}}),
                                    7, ladder::Hardness::plain);
  for (Tensor<2>* matrix : {&p.inputs.W, &p.inputs.U}) {
    std::fill(matrix->begin(), matrix->end(), 0.F);
    for (Index h = 0; h < hidden; ++h) matrix->data()[h * hidden + h] = 1;
  }
  run_forward(p);
  return p;
}

ProjectedRows rows_of(const Problem& p) {
  return {p.queries(), p.keys(), p.hidden(), p.value_dim(), p.query.data(), p.key.data(), p.v.data(), p.value.data(), -1};
}

struct Answer {
  std::vector<float> output, weights, query, key, v, value;

  explicit Answer(const ProjectedRows& r, const float* output_gradient, const float* weights_gradient = nullptr)
      : output(size(r.queries * r.value_dim)),
        weights(size(r.queries * r.keys)),
        query(size(r.queries * r.hidden)),
        key(size(r.keys * r.hidden)),
        v(size(r.hidden)),
        value(size(r.keys * r.value_dim)) {
    attend_rows(r, output.data(), weights.data());
    add_rows_gradients(r, weights.data(), output_gradient, weights_gradient, {query.data(), key.data(), v.data(), value.data()});
  }
  static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
};

template <class A, class B>
double difference(const A& a, const B& b) {
  double largest = 0;
  auto y = b.begin();
  for (const auto x : a) {
    const double d = std::abs(static_cast<double>(x) - static_cast<double>(*y++));
    if (!(d <= largest)) largest = d;
  }
  return largest;
}

}  // namespace

TEST_CASE("additive rows: output, weights and gradients agree with the reference", "[rows]") {
  for (const auto& [queries, keys, hidden, value_dim] : {std::array<Index, 4>{1, 1, 1, 1}, {1, 20, 128, 64}, {5, 9, 33, 7}, {13, 17, 16, 3}, {2, 40, 7, 5}}) {
    const BackwardProblem p = sample(queries, keys, hidden, value_dim);
    const BackwardReference exact = backward_reference(p);
    const Answer answer(rows_of(p.inputs), p.output_gradient.data());
    // The identity projects without rounding: what the bounds say of the gradients of query and key holds here.
    const auto bounds = backward().reference_fields(p, exact, {});
    const auto forward = mechanism().reference_fields(p.inputs, exact.forward, {});
    CHECK(difference(answer.output, exact.forward.output) <= forward[0].bound);
    CHECK(difference(answer.weights, exact.forward.weights) <= forward[2].bound);
    CHECK(difference(answer.query, exact.query_gradient) <= bounds[0].bound);
    CHECK(difference(answer.key, exact.key_gradient) <= bounds[1].bound);
    CHECK(difference(answer.value, exact.value_gradient) <= bounds[2].bound);
    CHECK(difference(answer.v, exact.v_gradient) <= bounds[5].bound);
    CHECK(difference(answer.query, exact.query_gradient) < 1e-5);  // and a plain figure beside them
  }
}

TEST_CASE("additive rows: keys that do not exist have no effect, bit for bit, whatever they hold", "[rows]") {
  const BackwardProblem p = sample(4, 9, 21, 6);
  ProjectedRows r = rows_of(p.inputs);
  std::vector<float> key(p.inputs.key.begin(), p.inputs.key.end());
  std::vector<float> value(p.inputs.value.begin(), p.inputs.value.end());
  r.valid_keys = 5;
  const Answer before(r, p.output_gradient.data());
  std::fill(key.begin() + 5 * 21, key.end(), std::numeric_limits<float>::quiet_NaN());
  std::fill(value.begin() + 5 * 6, value.end(), std::numeric_limits<float>::infinity());
  r.projected_key = key.data();
  r.value = value.data();
  const Answer after(r, p.output_gradient.data());
  CHECK(before.output == after.output);
  CHECK(before.weights == after.weights);
  CHECK(before.query == after.query);
  CHECK(before.key == after.key);
  CHECK(before.v == after.v);
  CHECK(before.value == after.value);
  CHECK(std::all_of(after.key.begin() + 5 * 21, after.key.end(), [](float x) { return x == 0; }));
  // The same as five keys alone.
  r.keys = 5;
  r.valid_keys = -1;
  const Answer alone(r, p.output_gradient.data());
  CHECK(alone.output == after.output);
  CHECK(alone.query == after.query);

  r.valid_keys = 0;
  const Answer none(r, p.output_gradient.data());
  CHECK(std::ranges::all_of(none.output, [](float x) { return x == 0; }));
  CHECK(std::ranges::all_of(none.query, [](float x) { return x == 0; }));
}

TEST_CASE("additive rows: gradients are added to what is there, and a gradient of the weights counts", "[rows]") {
  const BackwardProblem p = sample(3, 6, 10, 4);
  const ProjectedRows r = rows_of(p.inputs);
  const Answer once(r, p.output_gradient.data());
  Answer twice(r, p.output_gradient.data());
  add_rows_gradients(r, twice.weights.data(), p.output_gradient.data(), nullptr, {twice.query.data(), twice.key.data(), twice.v.data(), twice.value.data()});
  for (std::size_t x = 0; x < once.query.size(); ++x) CHECK(std::abs(twice.query[x] - 2 * once.query[x]) < 1e-6F);

  // output = weights · value: a gradient dO valueᵀ of the weights is what dO gives.
  std::vector<float> weights_gradient(18);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 6; ++j)
      for (std::size_t c = 0; c < 4; ++c) weights_gradient[i * 6 + j] += p.output_gradient.data()[i * 4 + c] * p.inputs.value.data()[j * 4 + c];
  const std::vector<float> nothing(12);
  const Answer by_weights(r, nothing.data(), weights_gradient.data());
  CHECK(difference(by_weights.query, once.query) < 1e-6);
  CHECK(difference(by_weights.v, once.v) < 1e-6);
  CHECK(difference(by_weights.query, std::vector<float>(30)) > 1e-3);
}
