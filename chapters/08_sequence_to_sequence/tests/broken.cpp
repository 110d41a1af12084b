// The faults that a hand-written attention has had, made on purpose: what the tests beside this one hold right must be wrong with them.
#include <cmath>

#include "additive_scores.hpp"
#include "attention.hpp"
#include "autograd/arithmetic.hpp"
#include "autograd/softmax.hpp"
#include "check_gradients.hpp"

namespace {

using namespace attention::sequence_to_sequence;
using attention::tests::random_array;

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

TEST_CASE("a wrong gradient of the additive scores is noticed", "[sequence_to_sequence][autograd]") {
  const std::vector<ArrayOf<double>> inputs{random_array({2, 2, 5}, 1), random_array({2, 3, 5}, 2), random_array({5}, 3)};
  const auto worst = [&](Fault fault) {
    return attention::tests::worst_gradient([fault](Tape<double>&, const std::vector<Variable<double>>& in) { return faulty_scores(in, fault); }, inputs);
  };
  CHECK(worst(Fault::none) <= 1);
  for (const Fault fault : {Fault::no_slope, Fault::last_key_left_out, Fault::v_by_sum}) CHECK(worst(fault) > 100);
}

TEST_CASE("padding that is not masked is noticed", "[sequence_to_sequence]") {
  attention::numerics::Random random(1);
  const Attention<double> attention(Kind::general, 4, 4, 3, 0, random);
  const auto contexts = [&](const std::vector<Index>& lengths, std::size_t places) {
    Tape<double> tape(attention::autograd::Mode::evaluation);
    ArrayOf<double> annotations = attention::tensor::filled_array<double>({places, 1, 4}, 0);
    const ArrayOf<double> seen = random_array({3, 1, 4}, 1);
    std::copy(seen.data(), seen.data() + seen.size(), annotations.data());
    const auto found = attention(attention.prepare(tape.constant(annotations), lengths), tape.constant(random_array({1, 2, 4}, 2)), 0).contexts;
    return std::vector<double>(found.data(), found.data() + found.size());
  };
  const auto difference = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
  };
  CHECK(difference(contexts({3}, 3), contexts({3}, 5)) < 1e-15);
  // The fault: the padding counts as part of the word.
  CHECK(difference(contexts({3}, 3), contexts({5}, 5)) > 1e-3);
}
