// Every operation of the tape: its gradient against central differences in float64, float32 against float64, and what it refuses.
#include <limits>
#include <stdexcept>
#include <string>

#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/normalisation.hpp"
#include "autograd/softmax.hpp"
#include "check_gradients.hpp"

using namespace attention;
using namespace attention::autograd;
using namespace attention::tests;

namespace {

/// An operation in both types, and what goes in.
struct Operation {
  std::string name;
  Function<float> single;
  Function<double> twice;
  std::vector<ArrayOf<double>> inputs;
};

/// `f` is a generic lambda of a tape's variables.
template <class F>
Operation operation(std::string name, F f, std::vector<ArrayOf<double>> inputs) {
  return {std::move(name), [f](Tape<float>&, const std::vector<Variable<float>>& in) { return f(in); },
          [f](Tape<double>&, const std::vector<Variable<double>>& in) { return f(in); }, std::move(inputs)};
}

std::vector<Operation> all_operations() {
  const auto r = [](const Shape& shape, std::uint64_t seed = 1) { return random_array(shape, seed); };
  const auto positive = [](const Shape& shape, std::uint64_t seed = 1) { return random_array(shape, seed, 0.5, 2); };
  std::vector<Operation> list;
  const auto add = [&](std::string name, auto f, std::vector<ArrayOf<double>> inputs) { list.push_back(operation(std::move(name), f, std::move(inputs))); };

  const std::vector<std::pair<Shape, Shape>> broadcasts{{{3, 5}, {3, 5}}, {{3, 5}, {5}}, {{3, 1}, {1, 5}}, {{2, 3, 4}, {3, 1}}, {{4}, {2, 3, 1}}, {{}, {2, 3}}, {{2, 1, 3, 1}, {5, 1, 4}}};
  for (const auto& [a, b] : broadcasts) {
    const std::string shapes = as_text(a) + " " + as_text(b);
    add("a + b " + shapes, [](const auto& in) { return in[0] + in[1]; }, {r(a), r(b, 2)});
    add("a - b " + shapes, [](const auto& in) { return in[0] - in[1]; }, {r(a), r(b, 2)});
    add("a * b " + shapes, [](const auto& in) { return in[0] * in[1]; }, {r(a), r(b, 2)});
    add("a / b " + shapes, [](const auto& in) { return in[0] / in[1]; }, {r(a), positive(b, 2)});
  }
  add("a * a: one value on both sides", [](const auto& in) { return in[0] * in[0]; }, {r({7})});
  add("affine", [](const auto& in) { return affine(in[0], -2.5, 0.25); }, {r({3, 4})});
  add("tanh", [](const auto& in) { return tanh(in[0]); }, {random_array({37}, 1, -4, 4)});
  add("sigmoid", [](const auto& in) { return sigmoid(in[0]); }, {random_array({37}, 1, -6, 6)});
  add("relu", [](const auto& in) { return relu(in[0] - in[1]); }, {positive({1, 9}), r({3, 1}) + 0.9});  // nowhere near 0
  add("hard_swish", [](const auto& in) { return hard_swish(in[0]); }, {random_array({37}, 1, -6, 6)});
  add("exp", [](const auto& in) { return exp(in[0]); }, {r({19})});
  add("log", [](const auto& in) { return log(in[0]); }, {positive({19})});
  add("sqrt", [](const auto& in) { return sqrt(in[0]); }, {positive({19})});

  add("matmul [3, 4] [4, 5]", [](const auto& in) { return matmul(in[0], in[1]); }, {r({3, 4}), r({4, 5}, 2)});
  add("matmul [2, 3, 4] [4, 5]", [](const auto& in) { return matmul(in[0], in[1]); }, {r({2, 3, 4}), r({4, 5}, 2)});
  add("matmul [2, 9, 4] [2, 4, 21]", [](const auto& in) { return matmul(in[0], in[1]); }, {r({2, 9, 4}), r({2, 4, 21}, 2)});
  add("matmul [2, 9, 4] [2, 5, 4] transposed", [](const auto& in) { return matmul(in[0], in[1], Right::transposed); }, {r({2, 9, 4}), r({2, 5, 4}, 2)});
  add("matmul [1, 4] [6, 4] transposed", [](const auto& in) { return matmul(in[0], in[1], Right::transposed); }, {r({1, 4}), r({6, 4}, 2)});
  add("matmul of a value with itself", [](const auto& in) { return matmul(in[0], in[0], Right::transposed); }, {r({7, 3})});

  for (const Index axis : {0, 1, -1}) {
    add("sum " + std::to_string(axis), [axis](const auto& in) { return sum(in[0], axis); }, {r({2, 3, 4})});
    add("mean " + std::to_string(axis), [axis](const auto& in) { return mean(in[0], axis); }, {r({2, 3, 4})});
    add("largest " + std::to_string(axis), [axis](const auto& in) { return largest(in[0], axis); }, {r({2, 3, 4})});
    add("concatenate " + std::to_string(axis), [axis](const auto& in) { return concatenate(std::vector{in[0], in[1], in[0]}, axis); }, {r({2, 3, 4}), r({2, 3, 4}, 2)});
    add("slice " + std::to_string(axis), [axis](const auto& in) { return slice(in[0], axis, 1, 2); }, {r({2, 3, 4})});
  }
  add("sum of all", [](const auto& in) { return sum(in[0]); }, {r({2, 3, 4})});
  add("mean of all", [](const auto& in) { return mean(in[0]); }, {r({2, 3, 4})});
  add("concatenate of different lengths", [](const auto& in) { return concatenate(std::vector{in[0], in[1]}, -1); }, {r({3, 2}), r({3, 5}, 2)});
  add("stack", [](const auto& in) { return stack(std::vector{in[0], in[1], in[0]}); }, {r({3, 2}), r({3, 2}, 2)});
  add("reshape", [](const auto& in) { return reshape(in[0], {3, 4}) * in[1]; }, {r({2, 6}), r({3, 4}, 2)});
  add("permute", [](const auto& in) { return permute(in[0], {2, 0, 1}); }, {r({2, 3, 4})});
  add("gather", [](const auto& in) { return gather(in[0], {3, 0, 3, 1, 3}); }, {r({5, 3})});

  add("softmax", [](const auto& in) { return softmax(3 * in[0]); }, {r({4, 19})});
  add("softmax of lengths", [](const auto& in) { return softmax(in[0], mask_of_lengths({3, 5, 0, 1}, 5)); }, {r({4, 5})});
  add("softmax, mask over heads", [](const auto& in) {
    Mask mask = tensor::filled_array<std::uint8_t>({2, 1, 4}, 1);
    mask.data()[1] = mask.data()[6] = 0;
    return softmax(in[0], mask);
  }, {r({3, 2, 5, 4})});
  add("log_softmax", [](const auto& in) { return log_softmax(in[0]); }, {r({4, 19})});
  add("cross_entropy", [](const auto& in) { return cross_entropy(in[0], {2, 0, ignored, 6}, 3); }, {r({4, 7})});
  add("cross_entropy, smoothed", [](const auto& in) { return cross_entropy(in[0], {2, 0, ignored, 6}, 5, 0.1); }, {r({2, 2, 7})});
  add("group_norm of two groups", [](const auto& in) { return group_norm(in[0], in[1], in[2], 2); }, {r({2, 3, 2, 6}), positive({6}), r({6}, 3)});
  add("group_norm of all channels", [](const auto& in) { return group_norm(in[0], in[1], in[2], 1); }, {r({3, 5, 4}), positive({4}), r({4}, 3)});
  for (const auto& [picture, kernel, dilation] : std::vector<std::tuple<Shape, Shape, Index>>{{{2, 5, 4, 3}, {3, 3, 3, 5}, 1},
                                                                                              {{1, 7, 7, 2}, {7, 7, 2, 1}, 1},
                                                                                              {{2, 1, 9, 1}, {1, 3, 1, 1}, 1},
                                                                                              {{1, 6, 5, 2}, {3, 3, 2, 3}, 2},
                                                                                              {{1, 3, 3, 4}, {1, 1, 4, 70}, 1}})
    add(fmt::format("convolution {} {}, dilation {}", as_text(picture), as_text(kernel), dilation),
        [dilation = dilation](const auto& in) { return convolution(in[0], in[1], dilation); }, {r(picture), r(kernel, 2)});
  add("max_pool", [](const auto& in) { return max_pool(in[0], 2); }, {r({2, 5, 4, 3})});
  add("layer_norm", [](const auto& in) { return layer_norm(in[0], in[1], in[2]); }, {r({3, 2, 8}), positive({8}), r({8}, 3)});
  // The numbers that dropout draws are the tape's: every tape of the check draws the same.
  add("dropout", [](const auto& in) { return dropout(in[0], 0.4); }, {r({5, 6})});
  return list;
}

}  // namespace

TEST_CASE("autograd: the gradient of every operation is its central difference", "[autograd]") {
  for (const Operation& o : all_operations()) {
    INFO(o.name);
    CHECK(worst_gradient(o.twice, o.inputs) <= 1);
  }
}

TEST_CASE("autograd: central differences notice a gradient that is 1 in 1,000 off", "[autograd]") {
  const auto spoilt = [](Tape<double>& tape, const std::vector<Variable<double>>& in) {
    return tape.record(in[0].value(), {in[0]}, [x = in[0]](const ArrayOf<double>&, ArrayOf<double>& gradient) {
      for (Index i = 0; i < x.size(); ++i) x.gradient()[i] += (i == 3 ? 1.001 : 1) * gradient.data()[i];
    });
  };
  CHECK(worst_gradient(spoilt, {random_array({5}, 1)}) > 1);
}

TEST_CASE("autograd: what is masked has no effect, whatever it holds", "[autograd][mask]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tape<double> tape;
  ArrayOf<double> scores = random_array({2, 4}, 1);
  scores.data()[3] = nan;
  scores.data()[6] = std::numeric_limits<double>::infinity();
  const auto x = tape.variable(scores);
  const auto y = softmax(x, mask_of_lengths({3, 2}, 4));
  tape.backward(one_number(y));
  for (const double w : y.value()) CHECK(std::isfinite(w));
  for (const double g : *tape.gradient(x)) CHECK(std::isfinite(g));
  CHECK(y.value().data()[3] == 0);

  ArrayOf<double> wild = random_array({2, 3}, 1);
  wild.data()[0] = nan;
  const auto z = tape.variable(wild);
  const auto loss = cross_entropy(z, {ignored, 1}, 1);
  CHECK(std::isfinite(loss.data()[0]));
  tape.backward(loss);
  for (const double g : *tape.gradient(z)) CHECK(std::isfinite(g));
}

TEST_CASE("autograd: two losses on one tape, one after the other, add their gradients", "[autograd]") {
  Tape<double> tape;
  const auto x = tape.variable(random_array({2, 3}, 1));
  const auto y = 2.0 * x;
  const auto first = sum(y), second = sum(5.0 * y);
  tape.backward(first);
  for (const double g : *tape.gradient(x)) CHECK(g == 2);
  tape.backward(second);
  for (const double g : *tape.gradient(x)) CHECK(g == 2 + 10);
  tape.backward(first);
  for (const double g : *tape.gradient(x)) CHECK(g == 2 + 10 + 2);
}

TEST_CASE("autograd: dropout keeps the mean, drops its share, and does nothing in evaluation", "[autograd]") {
  Tape<float> tape(Mode::training, 7);
  const auto ones = tape.constant(tensor::filled_array<float>({100000}, 1));
  const auto kept = dropout(ones, 0.3);
  double sum = 0;
  Index zeros = 0;
  for (const float x : kept.value()) {
    sum += static_cast<double>(x);
    zeros += x == 0 ? 1 : 0;
  }
  // Six standard deviations of 100,000 draws.
  CHECK(std::abs(sum / 100000 - 1) < 6 * std::sqrt(0.3 / 0.7 / 100000));
  CHECK(std::abs(static_cast<double>(zeros) / 100000 - 0.3) < 6 * std::sqrt(0.3 * 0.7 / 100000));
  Tape<float> still(Mode::evaluation);
  const auto x = still.constant(tensor::filled_array<float>({10}, 1));
  CHECK(dropout(x, 0.3).node() == x.node());
}

TEST_CASE("autograd: shapes that do not fit are refused with both shapes", "[autograd]") {
  Tape<double> tape;
  const auto v = [&](const Shape& shape) { return tape.variable(random_array(shape, 1)); };
  const auto refused = [](auto f) -> std::string {
    try {
      f();
    } catch (const std::logic_error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused([&] { v({2, 3}) + v({2}); }) == "[2, 3] and [2] cannot be broadcast to one shape");
  CHECK(refused([&] { matmul(v({2, 3}), v({2, 3})); }) == "[2, 3] and [2, 3] have no matrix product");
  CHECK(refused([&] { matmul(v({2, 5, 3}), v({3, 3, 4})); }) == "[2, 5, 3] and [3, 3, 4] have no matrix product");
  CHECK(refused([&] { convolution(v({1, 4, 4, 3}), v({3, 3, 2, 5})); }) == "[1, 4, 4, 3] and weights [3, 3, 2, 5], dilation 1, have no convolution");
  CHECK(refused([&] { convolution(v({1, 4, 4, 3}), v({2, 3, 3, 5})); }) == "[1, 4, 4, 3] and weights [2, 3, 3, 5], dilation 1, have no convolution");
  CHECK(refused([&] { max_pool(v({1, 4, 1, 3}), 2); }) == "[1, 4, 1, 3] has no squares of 2 × 2 pixels");
  CHECK(refused([&] { group_norm(v({1, 4, 6}), v({6}), v({6}), 4); }) ==
        "[1, 4, 6] in 4 groups with a scale of [6] and a shift of [6]: they do not fit");
  CHECK(refused([&] { reshape(v({2, 3}), {4}); }) == "[2, 3] cannot take the shape [4]");
  CHECK(refused([&] { permute(v({2, 3}), {1, 1}); }) == "[1, 1] is no order of the axes of [2, 3]");
  CHECK(refused([&] { concatenate(std::vector{v({2, 3}), v({2, 4})}, 0); }) == "[2, 3] and [2, 4] cannot be concatenated along axis 0");
  CHECK(refused([&] { stack(std::vector{v({2}), v({3})}); }) == "[2] and [3] cannot be stacked");
  CHECK(refused([&] { slice(v({2, 3}), 1, 2, 4); }) == "[2, 3] has no elements 2 to 4 along axis 1");
  CHECK(refused([&] { sum(v({2, 3}), 2); }) == "[2, 3] has no axis 2");
  CHECK(refused([&] { gather(v({2, 3}), {2}); }) == "row 2 of a table of 2");
  CHECK(refused([&] { cross_entropy(v({2, 3}), {1}, 1); }) == "1 targets for scores of [2, 3]");
  CHECK(refused([&] { cross_entropy(v({2, 3}), {1, 3}, 1); }) == "class 3 of 3");
  CHECK(refused([&] { tape.backward(v({2})); }) == "a gradient is of one number; this loss has 2");
  CHECK(refused([&] { softmax(v({2, 3}), mask_of_lengths({1, 1, 1}, 3)); }) == "[2, 3] and [3, 3] cannot be broadcast to one shape");
}

TEST_CASE("autograd: nothing is recorded where no gradient is wanted", "[autograd]") {
  Tape<float> tape(Mode::evaluation);
  const Parameter<float> weights{tensor::filled_array<float>({3, 4}, 0.5F)};
  const auto y = matmul(tape.constant(tensor::filled_array<float>({5, 3}, 1)), tape.parameter(weights));
  CHECK_FALSE(y.needs_gradient());
  CHECK(y.data()[0] == 1.5F);
}

TEST_CASE("autograd: float32 agrees with float64, values and gradients", "[autograd]") {
  for (const Operation& o : all_operations()) {
    INFO(o.name);
    // Sums of at most 20 terms, each rounded a few times: 20 units in the last place of the largest, and as much for what cancels.
    CHECK(worst_rounding(o.single, o.twice, o.inputs) <= 40 * 0x1p-24);
  }
}
