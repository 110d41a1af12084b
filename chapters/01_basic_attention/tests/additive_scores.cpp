// The additive scores as an operation on the tape: value, gradient, and that a wrong gradient is noticed.
#include "additive_scores.hpp"

#include <cmath>

#include "check_gradients.hpp"

namespace {

using namespace attention::additive;
using namespace attention::tests;
using attention::tensor::ArrayOf;
using attention::tensor::Index;

/// additive_scores with a backward pass that has one fault.
enum class Fault { none, no_slope, last_key_left_out, v_by_sum };

Variable<double> faulty_scores(const std::vector<Variable<double>>& in, Fault fault) {
  const Variable<double> q = in[0], k = in[1], v = in[2];
  const Index batch = q.extent(0), n = q.extent(1), m = k.extent(1), units = v.extent(0);
  const Variable<double> right = additive_scores(q, k, v);
  ArrayOf<double> copy = right.value();
  return q.tape().record(std::move(copy), {q, k, v}, [=](const ArrayOf<double>&, ArrayOf<double>& gradient) {
    for (Index b = 0; b < batch; ++b)
      for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < m - (fault == Fault::last_key_left_out ? 1 : 0); ++j)
          for (Index a = 0; a < units; ++a) {
            const Index at_q = (b * n + i) * units + a, at_k = (b * m + j) * units + a;
            const double sum = q.data()[at_q] + k.data()[at_k], t = std::tanh(sum), g = gradient.data()[(b * n + i) * m + j];
            const double slope = g * v.data()[a] * (fault == Fault::no_slope ? 1 : 1 - t * t);
            q.gradient()[at_q] += slope;
            k.gradient()[at_k] += slope;
            v.gradient()[a] += g * (fault == Fault::v_by_sum ? sum : t);
          }
  });
}

}  // namespace

TEST_CASE("additive scores have the right value and gradient", "[additive][autograd]") {
  const auto function = []<class Real>(Tape<Real>&, const std::vector<Variable<Real>>& in) { return additive_scores(in[0], in[1], in[2]); };
  // Units below, at and above a vector's lanes.
  for (const std::size_t units : {1UL, 16UL, 19UL}) {
    const std::vector<ArrayOf<double>> inputs{random_array({2, 3, units}, 1), random_array({2, 4, units}, 2),
                                              random_array({units}, 3)};
    const auto twice = [&](Tape<double>& tape, const std::vector<Variable<double>>& in) { return function(tape, in); };
    const auto once = [&](Tape<float>& tape, const std::vector<Variable<float>>& in) { return function(tape, in); };
    CHECK(worst_gradient(twice, inputs) <= 1);
    // Sums of `units` products and of 12 or 24 gradients, each within a few roundings of 2^-24.
    CHECK(worst_rounding(once, twice, inputs) < 40 * 0x1p-24);
    Tape<double> tape;
    const auto scores = additive_scores(tape.constant(inputs[0]), tape.constant(inputs[1]), tape.constant(inputs[2]));
    double by_hand = 0;
    for (std::size_t a = 0; a < units; ++a)
      by_hand += inputs[2].data()[a] * std::tanh(inputs[0].data()[(3 + 2) * units + a] + inputs[1].data()[(4 + 1) * units + a]);
    CHECK(scores.data()[(3 + 2) * 4 + 1] == Catch::Detail::Approx(by_hand));
  }
}

TEST_CASE("a wrong gradient of the additive scores is noticed", "[additive][autograd]") {
  const std::vector<ArrayOf<double>> inputs{random_array({2, 2, 5}, 1), random_array({2, 3, 5}, 2), random_array({5}, 3)};
  const auto worst = [&](Fault fault) {
    return worst_gradient([fault](Tape<double>&, const std::vector<Variable<double>>& in) { return faulty_scores(in, fault); }, inputs);
  };
  CHECK(worst(Fault::none) <= 1);
  for (const Fault fault : {Fault::no_slope, Fault::last_key_left_out, Fault::v_by_sum}) CHECK(worst(fault) > 100);
}
