// The backward pass of additive attention: its reference against central differences, and what gradients must do whatever the
// numbers.
#include "backward.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "every_rung.hpp"
#include "gradient_share.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"

using namespace attention;
using namespace attention::additive;
using tests::for_every_rung;

namespace {

BackwardProblem sample(const char* shape, ladder::Hardness hardness = ladder::Hardness::plain) {
  return make_backward(ladder::parse_shape(shape, backward().keys), 11, hardness);
}

/// All inputs in float64: query, key, value, W, U, v.
struct Inputs {
  std::vector<double> of[6];

  explicit Inputs(const Problem& p)
      : of{widened(p.query), widened(p.key), widened(p.value), widened(p.W), widened(p.U), widened(p.v)} {}

  template <class T>
  static std::vector<double> widened(const T& tensor) {
    return {tensor.begin(), tensor.end()};
  }
};

/// L = Σ dO ∘ output, in float64 from the first line to the last.
double loss(const BackwardProblem& problem, const Inputs& in) {
  const Problem& p = problem.inputs;
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  double all = 0;
  for (Index i = 0; i < p.queries(); ++i) {
    double total = 0;
    double sum = 0;
    for (Index j = 0; j < p.keys(); ++j) {
      double score = 0;
      for (Index h = 0; h < p.hidden(); ++h) {
        double x = 0;
        for (Index c = 0; c < p.query_dim(); ++c) x += in.of[3][at(h * p.query_dim() + c)] * in.of[0][at(i * p.query_dim() + c)];
        for (Index c = 0; c < p.key_dim(); ++c) x += in.of[4][at(h * p.key_dim() + c)] * in.of[1][at(j * p.key_dim() + c)];
        score += in.of[5][at(h)] * std::tanh(x);
      }
      double product = 0;
      for (Index c = 0; c < p.value_dim(); ++c)
        product += static_cast<double>(problem.output_gradient.data()[i * p.value_dim() + c]) * in.of[2][at(j * p.value_dim() + c)];
      total += std::exp(score);
      sum += std::exp(score) * product;
    }
    all += sum / total;
  }
  return all;
}

/// The largest |∂L/∂x − gradient| of one input, as a share of what the differences leave open.
double worst(const BackwardProblem& p, Inputs& in, std::vector<double>& of, const double* gradient) {
  // Σ |dO v| bounds every value that the loss's roundings are in proportion to.
  double size = 0;
  for (const float g : p.output_gradient) size += std::abs(static_cast<double>(g));
  double largest = 0;
  for (std::size_t x = 0; x < of.size(); ++x)
    largest = std::max(largest, tests::gradient_share(of[x], gradient[x], [&] { return loss(p, in); }, 4 * size * numerics::largest_finite(p.inputs.value)));
  return largest;
}

double worst_of_all(const BackwardProblem& p, const BackwardReference& r, std::size_t input) {
  Inputs in(p.inputs);
  const double* gradients[] = {r.query_gradient.data(), r.key_gradient.data(), r.value_gradient.data(),
                               r.W_gradient.data(),     r.U_gradient.data(),   r.v_gradient.data()};
  return worst(p, in, in.of[input], gradients[input]);
}

}  // namespace

TEST_CASE("additive backward: the reference's gradients are the loss's central differences", "[backward]") {
  const BackwardProblem p = sample("queries=5,keys=6,hidden=4,dim=3,key_dim=5,value_dim=2");
  BackwardReference r = backward_reference(p);
  for (std::size_t input = 0; input < 6; ++input) {
    INFO(input);
    CHECK(worst_of_all(p, r, input) <= 1);
  }
  // And the differences notice a gradient that is 1 in 1,000 off.
  for (auto* gradient : {&r.query_gradient, &r.key_gradient, &r.value_gradient, &r.W_gradient, &r.U_gradient})
    for (double& x : *gradient) x *= 1.001;
  for (double& x : r.v_gradient) x *= 1.001;
  for (std::size_t input = 0; input < 6; ++input) CHECK(worst_of_all(p, r, input) > 1);
}

TEST_CASE("additive backward: twice the output's gradient is twice all gradients, to the last bit", "[backward]") {
  const BackwardProblem p = sample("queries=30,keys=70,hidden=20,value_dim=9");
  BackwardProblem twice = p;
  for (float& x : twice.output_gradient) x *= 2;
  for_every_rung(backward(), [&](const auto& rung) {
    BackwardOutput a;
    BackwardOutput b;
    rung.run(p, a);
    rung.run(twice, b);
    const auto doubled = [](float x, float y) { return 2 * x == y; };
    CHECK(std::ranges::equal(a.query_gradient, b.query_gradient, doubled));
    CHECK(std::ranges::equal(a.U_gradient, b.U_gradient, doubled));
    CHECK(std::ranges::equal(a.v_gradient, b.v_gradient, doubled));
  });
}

TEST_CASE("additive backward: projections too large for e^2x agree with the reference", "[backward]") {
  BackwardProblem p = sample("queries=40,keys=100,hidden=20,dim=20,key_dim=20,value_dim=9");
  for (Tensor<2>* matrix : {&p.inputs.W, &p.inputs.U}) {
    std::fill(matrix->begin(), matrix->end(), 0.F);
    for (Index h = 0; h < 20; ++h) matrix->data()[h * 20 + h] = 1;
  }
  for (Index h = 0; h < 20; ++h) {
    p.inputs.query.data()[25 * 20 + h] = 60;
    p.inputs.key.data()[70 * 20 + h] = -60;
  }
  run_forward(p);
  const auto trial = ladder::make_trial(backward(), p);
  for (std::size_t rung = 0; rung < backward().ladder.size(); ++rung) {
    INFO(backward().ladder[rung].name);
    trial->spoil();
    trial->run(rung);
    const ladder::CheckResult result = trial->check(rung, {});
    INFO(result.fault);
    CHECK(result.passed);
  }
}

TEST_CASE("additive backward: NaN and infinity in the input come out where the reference has them", "[backward]") {
  const BackwardProblem plain = sample("queries=30,keys=100,hidden=9,dim=8,value_dim=5");
  std::vector<BackwardProblem> problems(5, plain);
  constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
  problems[0].inputs.query.data()[7 * 8 + 3] = not_a_number;
  problems[1].inputs.key.data()[99 * 8] = not_a_number;
  problems[2].inputs.value.data()[70 * 5 + 4] = not_a_number;
  problems[3].output_gradient.data()[5 * 5] = not_a_number;
  problems[4].inputs.v.data()[4] = not_a_number;
  for (BackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(backward(), p);
    for (std::size_t rung = 0; rung < backward().ladder.size(); ++rung) {
      INFO(backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
