// The layers: gradients of their weights, recurrent cells against the same formula put together from single operations, and what
// sequences of different lengths must and must not change.
#include <optional>

#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/recurrent.hpp"
#include "autograd/softmax.hpp"
#include "check_gradients.hpp"

using namespace attention;
using namespace attention::autograd;
using namespace attention::tests;

namespace {

constexpr Index time_steps = 4, batch = 3, inputs = 2, hidden = 5;

template <class Layer>
Layer layer(std::uint64_t seed = 3) {
  numerics::Random random(seed);
  return Layer(inputs, hidden, random);
}

template <class Layer>
void check_layer(const Layer& given, const std::vector<Index>& lengths, Direction direction, Index states) {
  Layer layer = given;
  Parameter<double> x{random_array({time_steps, batch, inputs}, 5)};
  Parameter<double> initial{random_array({batch, static_cast<std::size_t>(states * hidden)}, 6)};
  ParameterList<double> list;
  layer.collect("layer", list);
  list.push_back({"x", &x});
  list.push_back({"initial", &initial});
  const double worst = worst_parameter_gradient(list, [&](Tape<double>& tape) {
    const auto run = layer(tape.parameter(x), lengths, direction, tape.parameter(initial));
    auto all = one_number(run.outputs) + 2 * one_number(run.last);
    if (states == 2) all = all + 3 * one_number(run.memory);
    return all;
  });
  CHECK(worst <= 1);
}

/// The GRU's step from single operations, after its formula.
Variable<double> plain_gru(const Variable<double>& x, const Variable<double>& u, const Variable<double>& h) {
  const auto part = [](const Variable<double>& v, Index k) { return slice(v, 1, k * hidden, (k + 1) * hidden); };
  const auto z = sigmoid(part(x, 0) + part(u, 0));
  const auto r = sigmoid(part(x, 1) + part(u, 1));
  const auto n = tanh(part(x, 2) + r * part(u, 2));
  return affine(z, -1, 1) * n + z * h;
}

Variable<double> plain_lstm(const Variable<double>& x, const Variable<double>& u, const Variable<double>& state, const Variable<double>& p) {
  const auto part = [](const Variable<double>& v, Index k) { return slice(v, 1, k * hidden, (k + 1) * hidden); };
  const auto peep = [&](Index k) { return slice(p, 0, k * hidden, (k + 1) * hidden); };
  const auto c = part(state, 1);
  const auto i = sigmoid(part(x, 0) + part(u, 0) + peep(0) * c);
  const auto f = sigmoid(part(x, 2) + part(u, 2) + peep(2) * c);
  const auto next = f * c + i * tanh(part(x, 3) + part(u, 3));
  const auto o = sigmoid(part(x, 1) + part(u, 1) + peep(1) * next);
  return concatenate(std::vector{o * tanh(next), next}, 1);
}

/// Both values, and both gradients of all inputs.
void check_same(const Function<double>& a, const Function<double>& b, const std::vector<ArrayOf<double>>& given) {
  std::vector<ArrayOf<double>> found[2];
  for (int which = 0; which < 2; ++which) {
    Tape<double> tape;
    std::vector<Variable<double>> in;
    for (const auto& x : given) in.push_back(tape.variable(x));
    const auto y = (which == 0 ? a : b)(tape, in);
    tape.backward(one_number(y));
    found[which].push_back(y.value());
    for (const auto& v : in) found[which].push_back(*tape.gradient(v));
  }
  for (std::size_t k = 0; k < found[0].size(); ++k)
    for (std::size_t i = 0; i < found[0][k].size(); ++i) CHECK(std::abs(found[0][k].data()[i] - found[1][k].data()[i]) < 1e-14);
}

/// Largest difference of two layers' results, bit for bit where it must be 0.
template <class Real>
double difference(const ArrayOf<Real>& a, const ArrayOf<Real>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
  return worst;
}

}  // namespace

TEST_CASE("layers: gradients of linear, embedding, layer norm and a weight that is used twice", "[autograd][layers]") {
  numerics::Random random(1);
  Linear<double> linear(9, 8, random);
  LayerNorm<double> norm(8);
  norm.scale.value = random_array({8}, 8, 0.5, 2);
  Embedding<double> words(6, 9, 1, random);
  Linear<double> square(8, 8, random, false);
  ParameterList<double> list;
  linear.collect("linear", list);
  norm.collect("norm", list);
  words.collect("words", list);
  square.collect("square", list);
  CHECK(list.size() == 6);
  CHECK(count(list) == 72 + 8 + 8 + 8 + 54 + 64);
  CHECK(worst_parameter_gradient(list, [&](Tape<double>& tape) {
          const auto x = norm(linear(words(tape, {1, 5, 1, 0})));
          const auto y = square(tanh(square(x)));
          // The table once more, as the weights of the scores.
          return cross_entropy(matmul(matmul(y, tape.parameter(square.weights), Right::transposed), slice(tape.parameter(words.table), 1, 0, 8), Right::transposed), {0, 1, 2, 3}, 4) +
                 one_number(matmul(x, tape.parameter(linear.weights), Right::transposed));
        }) <= 1);
}

TEST_CASE("layers: a recurrent cell is its formula put together from single operations", "[autograd][layers]") {
  const auto r = [](const Shape& shape, std::uint64_t seed) { return random_array(shape, seed, -2, 2); };
  check_same([](Tape<double>&, const auto& in) { return gru_cell(in[0], 0, in[1], in[2]); },
             [](Tape<double>&, const auto& in) { return plain_gru(in[0], in[1], in[2]); }, {r({batch, 3 * hidden}, 1), r({batch, 3 * hidden}, 2), r({batch, hidden}, 3)});
  check_same([](Tape<double>&, const auto& in) { return lstm_cell(in[0], 0, in[1], in[2], {}, &in[3]); },
             [](Tape<double>&, const auto& in) { return plain_lstm(in[0], in[1], in[2], in[3]); },
             {r({batch, 4 * hidden}, 1), r({batch, 4 * hidden}, 2), r({batch, 2 * hidden}, 3), r({3 * hidden}, 4)});
}

TEST_CASE("layers: gradients of recurrent layers, both directions, with lengths, an initial state and peepholes", "[autograd][layers]") {
  for (const std::vector<Index>& lengths : {std::vector<Index>{}, std::vector<Index>{4, 1, 0}})
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      check_layer(layer<Gru<double>>(), lengths, direction, 1);
      check_layer(layer<Lstm<double>>(), lengths, direction, 2);
      Gru<double> first = layer<Gru<double>>();
      first.reset = Reset::before_product;
      check_layer(first, lengths, direction, 1);
      Lstm<double> peeping = layer<Lstm<double>>();
      peeping.peepholes = {random_array({3 * hidden}, 9)};
      check_layer(peeping, lengths, direction, 2);
    }
}

TEST_CASE("layers: a sequence in a batch gives what it gives alone, and padding has no effect", "[autograd][layers]") {
  const auto try_layer = [](auto layer) {
    const std::vector<Index> lengths{4, 2, 3};
    ArrayOf<float> x = as<float>(random_array({time_steps, batch, inputs}, 5));
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      Tape<float> tape(Mode::evaluation);
      const auto together = layer(tape.constant(x), lengths, direction);
      ArrayOf<float> other = x;
      for (Index t = 0; t < time_steps; ++t)
        for (Index b = 0; b < batch; ++b)
          if (t >= lengths[static_cast<std::size_t>(b)])
            for (Index i = 0; i < inputs; ++i) other.data()[(t * batch + b) * inputs + i] = 7;
      const auto padded = layer(tape.constant(other), lengths, direction);
      CHECK(difference(together.outputs.value(), padded.outputs.value()) == 0);
      CHECK(difference(together.last.value(), padded.last.value()) == 0);
      for (Index b = 0; b < batch; ++b) {
        const Index length = lengths[static_cast<std::size_t>(b)];
        const auto alone = layer(slice(slice(tape.constant(x), 1, b, b + 1), 0, 0, length), {}, direction);
        // One row alone goes through other kernels than three.
        CHECK(difference(alone.last.value(), slice(together.last, 0, b, b + 1).value()) < 1e-6);
        CHECK(difference(alone.outputs.value(), slice(slice(together.outputs, 1, b, b + 1), 0, 0, length).value()) < 1e-6);
      }
    }
  };
  try_layer(layer<Gru<float>>());
  try_layer(layer<Lstm<float>>());
}

TEST_CASE("layers: both directions stand side by side", "[autograd][layers]") {
  const auto forward = layer<Gru<double>>(3), backward = layer<Gru<double>>(4);
  Tape<double> tape(Mode::evaluation);
  const auto x = tape.constant(random_array({time_steps, batch, inputs}, 5));
  const auto both = both_directions(forward, backward, x, {4, 4, 2});
  CHECK(both.outputs.shape() == Shape{time_steps, batch, 2 * hidden});
  CHECK(difference(slice(both.outputs, 2, hidden, 2 * hidden).value(), backward(x, {4, 4, 2}, Direction::backward).outputs.value()) == 0);
  // Read forward, the last state is the last output; read backward, the first.
  CHECK(difference(slice(both.last, 1, 0, hidden).value(), forward(x, {4, 4, 2}).last.value()) == 0);
  CHECK(difference(slice(slice(both.last, 1, hidden, 2 * hidden), 0, 0, 1).value(), slice(slice(slice(both.outputs, 2, hidden, 2 * hidden), 0, 0, 1), 1, 0, 1).value()) == 0);
}

TEST_CASE("layers: float32 on the fast paths agrees with float64", "[autograd][layers]") {
  // 24 sequences of 7 steps: packed weights, the micro-kernel, products that are put off.
  const auto loss = []<class Real>(Tape<Real>& tape, const Gru<Real>& gru, const Linear<Real>& out) {
    const auto x = tape.constant(as<Real>(random_array({7, 24, 20}, 5)));
    std::vector<Index> lengths;
    for (Index b = 0; b < 24; ++b) lengths.push_back(1 + b % 7);
    return mean(out(gru(x, lengths).outputs) * out(gru(x, lengths, Direction::backward).outputs));
  };
  const auto gradients = [&]<class Real>(Real) {
    numerics::Random random(1);
    Gru<Real> gru(20, 33, random);
    Linear<Real> out(33, 18, random);
    Tape<Real> tape;
    tape.backward(loss(tape, gru, out));
    ParameterList<Real> list;
    gru.collect("gru", list);
    out.collect("out", list);
    std::vector<std::vector<double>> all;
    for (const auto& p : list) {
      const ArrayOf<Real>& g = *tape.gradient(*p.parameter);
      all.emplace_back(g.data(), g.data() + g.size());
    }
    return all;
  };
  const auto single = gradients(0.F);
  const auto twice = gradients(0.0);
  for (std::size_t k = 0; k < single.size(); ++k) {
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < single[k].size(); ++i) {
      largest = std::max(largest, std::abs(twice[k][i]));
      error = std::max(error, std::abs(single[k][i] - twice[k][i]));
    }
    CHECK(error < 2e-6 * largest);
  }
}
