// The classifier: gradients of the whole, what padding must not change, and what the weights of the words are.
#include <cmath>

#include "autograd/softmax.hpp"
#include "helpers.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("a classifier's gradients are those of central differences", "[recurrent_attention][gradients]") {
  for (const Pooling pooling : all_poolings) {
    INFO(name_of(pooling));
    TextClassifier<double> model = tiny_classifier<double>(pooling);
    const Batch<double> batch = tiny_batch<double>();
    // Dropout acts too: a tape of one seed always drops the same.
    const double worst = worst_parameter_gradient(
        model.parameters(), [&](Tape<double>& tape) { return autograd::cross_entropy(model(tape, batch).scores, {2, 0, 1}, 3, 0.1); }, 3);
    CHECK(worst <= 1);
  }
}

TEST_CASE("every weight of a classifier has a gradient", "[recurrent_attention][gradients]") {
  for (const Pooling pooling : all_poolings) {
    INFO(name_of(pooling));
    TextClassifier<double> model = tiny_classifier<double>(pooling);
    model.sizes.input_dropout = model.sizes.state_dropout = model.sizes.pooled_dropout = 0;
    Tape<double> tape;
    tape.backward(autograd::cross_entropy(model(tape, tiny_batch<double>()).scores, {2, 0, 1}, 3));
    for (const auto& [name, parameter] : model.parameters()) {
      INFO(name);
      const ArrayOf<double>* gradient = tape.gradient(*parameter);
      REQUIRE(gradient != nullptr);
      CHECK(std::ranges::any_of(*gradient, [](double g) { return g != 0; }));
    }
  }
}

TEST_CASE("padding has no effect on a text's scores, to the last bit", "[recurrent_attention]") {
  for (const Pooling pooling : all_poolings) {
    INFO(name_of(pooling));
    const TextClassifier<float> model = tiny_classifier<float>(pooling);
    Tape<float> tape(autograd::Mode::evaluation);
    const Answer<float> tight = model(tape, tiny_batch<float>(4));
    const Answer<float> padded = model(tape, tiny_batch<float>(9));
    for (Index i = 0; i < tight.scores.size(); ++i) CHECK(tight.scores.data()[i] == padded.scores.data()[i]);
    if (pooling == Pooling::last_state) continue;
    for (Index b = 0; b < 3; ++b)
      for (Index t = 0; t < 9; ++t) CHECK(padded.weights.data()[b * 9 + t] == (t < 4 ? tight.weights.data()[b * 4 + t] : 0.F));
  }
}

TEST_CASE("a text's scores do not depend on what it is read beside", "[recurrent_attention]") {
  const Batch<float> together = tiny_batch<float>();
  for (const Pooling pooling : all_poolings) {
    const TextClassifier<float> model = tiny_classifier<float>(pooling);
    Tape<float> tape(autograd::Mode::evaluation);
    const Answer<float> all = model(tape, together);
    for (std::size_t b = 0; b < 3; ++b) {
      INFO(name_of(pooling) << ", text " << b);
      const auto time = static_cast<std::size_t>(together.lengths[b]);
      Batch<float> alone{.lengths = {together.lengths[b]}, .words = {}, .given = tensor::empty_array<float>({time, 1, 3})};
      for (std::size_t t = 0; t < time; ++t) {
        alone.words.push_back(together.words[t * 3 + b]);
        std::copy_n(together.given.data() + (t * 3 + b) * 3, 3, alone.given.data() + t * 3);
      }
      const Answer<float> one = model(tape, alone);
      // A product of few rows adds in another order: sums of at most `hidden` terms, each below 2 in size.
      for (Index c = 0; c < 3; ++c)
        CHECK(std::abs(one.scores.data()[c] - all.scores.data()[static_cast<Index>(b) * 3 + c]) <= 64 * 0x1p-24F);
    }
  }
}

TEST_CASE("the weights of a text's words are at least 0 and sum to 1", "[recurrent_attention]") {
  for (const Pooling pooling : {Pooling::mean, Pooling::attention}) {
    INFO(name_of(pooling));
    Tape<double> tape(autograd::Mode::evaluation);
    const Answer<double> answer = tiny_classifier<double>(pooling)(tape, tiny_batch<double>(7));
    REQUIRE(answer.weights.shape() == Shape{3, 7});
    for (Index b = 0; b < 3; ++b) {
      double sum = 0;
      for (Index t = 0; t < 7; ++t) {
        CHECK(answer.weights.data()[b * 7 + t] >= 0);
        sum += answer.weights.data()[b * 7 + t];
      }
      CHECK(std::abs(sum - 1) <= 8 * 0x1p-53);
    }
  }
}

TEST_CASE("the vector of a text is the weighted sum of its states (Zhou 2016, equation 11)", "[recurrent_attention]") {
  TextClassifier<double> model = tiny_classifier<double>(Pooling::attention);
  const Batch<double> batch = tiny_batch<double>();
  Tape<double> tape(autograd::Mode::evaluation);
  const Answer<double> answer = model(tape, batch);
  // The states anew, from the layers alone; then equations 9 to 12 in plain loops.
  ArrayOf<double> x = tensor::empty_array<double>({4, 3, 5});
  for (std::size_t i = 0; i < 12; ++i) {
    std::copy_n(batch.given.data() + i * 3, 3, x.data() + i * 5);
    std::copy_n(model.embedding.table.value.data() + batch.words[i] * 2, 2, x.data() + i * 5 + 3);
  }
  const auto states = autograd::both_directions(model.forward, model.backward, tape.constant(x), batch.lengths).outputs;
  for (std::size_t b = 0; b < 3; ++b) {
    std::vector<double> e;
    double sum = 0;
    for (Index t = 0; t < batch.lengths[b]; ++t) {
      double score = 0;
      for (std::size_t k = 0; k < 8; ++k) score += model.attention.value.data()[k] * std::tanh(states.data()[(static_cast<std::size_t>(t) * 3 + b) * 8 + k]);
      e.push_back(std::exp(score));
      sum += e.back();
    }
    for (std::size_t c = 0; c < 3; ++c) {
      double score = model.output.bias.value.data()[c];
      for (std::size_t k = 0; k < 8; ++k) {
        double r = 0;
        for (std::size_t t = 0; t < e.size(); ++t) r += e[t] / sum * states.data()[(t * 3 + b) * 8 + k];
        score += std::tanh(r) * model.output.weights.value.data()[k * 3 + c];
      }
      CHECK(std::abs(score - answer.scores.data()[b * 3 + c]) <= 1e-14 * (1 + std::abs(score)));
    }
  }
}

TEST_CASE("a batch whose parts do not fit is refused", "[recurrent_attention]") {
  const TextClassifier<float> model = tiny_classifier<float>(Pooling::attention);
  Tape<float> tape;
  CHECK_THROWS_AS(model(tape, Batch<float>{}), std::invalid_argument);
  Batch<float> batch = tiny_batch<float>();
  batch.given = tensor::empty_array<float>({4, 3, 2});
  CHECK_THROWS_AS(model(tape, batch), std::invalid_argument);
  batch = tiny_batch<float>();
  batch.words.pop_back();
  CHECK_THROWS_AS(model(tape, batch), std::invalid_argument);
}
