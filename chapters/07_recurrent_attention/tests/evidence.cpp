// Evidence about a classifier's answers: that each figure is what it says.
#include <cmath>

#include "autograd/softmax.hpp"
#include "evidence_of.hpp"
#include "helpers.hpp"
#include "look.hpp"
#include "numerics/distribution.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

TextClassifier<float> small_classifier(Pooling pooling) {
  TextClassifier<float> model({.given = 256, .words = 20, .learnt = 4, .hidden = 8, .classes = 3}, pooling,
                              1);
  numerics::Random random(2);
  for (float& w : model.attention.value) w = 2 * random.normal();
  return model;
}

}  // namespace

TEST_CASE("evidence: weights, leaving out and states are those of the classifier", "[recurrent_attention]") {
  const Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  const TextClassifier<float> model = small_classifier(Pooling::attention);
  const std::vector<Example> examples{
      corpus.training[3], corpus.training[1], {{corpus.training[3].words[1]}, 2, ""}};
  const record::EvidenceRecord evidence = evidence_of(model, examples, corpus, "some");
  REQUIRE(evidence.texts.size() == 3);
  std::size_t row = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::vector<Index>& words = examples[i].words;
    const record::EvidenceText& text = evidence.texts[i];
    const Reading whole = read(model, words, corpus.lexicon);
    CHECK(text.attention == whole.weights);
    CHECK(text.label == static_cast<std::size_t>(examples[i].label));
    for (std::size_t w = 0; w < words.size(); ++w) {
      std::vector<Index> rest = words;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(w));
      if (rest.empty()) rest = {datasets::Vocabulary::unknown};
      const Reading other = read(model, rest, corpus.lexicon);
      CHECK(text.leave_one_out[w] ==
            Approx(numerics::total_variation<float>(other.shares, whole.shares)).margin(1e-6));
      CHECK(text.words[w] == corpus.lexicon.word(words[w]));
    }
    // The gradient is of the logarithm of the largest share: growing numbers, growing share.
    for (std::size_t w = 0; w < words.size(); ++w) {
      const auto log_share = [&](float scale) {
        Tape<float> tape(autograd::Mode::evaluation);
        ArrayOf<float> scales = tensor::filled_array<float>({words.size(), 1, 1}, 1);
        scales.data()[w] = scale;
        const std::vector<const std::vector<Index>*> alone{&words};
        const Variable<float> scaled = tape.constant(scales);
        const Answer<float> answer = model(tape, batch_of(alone, corpus.lexicon, model.sizes), &scaled);
        return static_cast<double>(autograd::log_softmax(answer.scores).data()[whole.best()]);
      };
      CHECK(static_cast<double>(text.gradient[w]) ==
            Approx((log_share(1.01F) - log_share(0.99F)) / 0.02).epsilon(0.02).margin(2e-4));
    }
    // The answer follows from states, weights and output layer alone.
    std::vector<double> scores(3), shares(3);
    const std::size_t width = evidence.states.shape()[1];
    for (std::size_t c = 0; c < 3; ++c) scores[c] = static_cast<double>(evidence.output(width, c));
    for (std::size_t k = 0; k < width; ++k) {
      double r = 0;
      for (std::size_t w = 0; w < words.size(); ++w)
        r += static_cast<double>(text.attention[w]) * static_cast<double>(evidence.states(row + w, k));
      for (std::size_t c = 0; c < 3; ++c)
        scores[c] += std::tanh(r) * static_cast<double>(evidence.output(k, c));
    }
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) sum += shares[c] = std::exp(scores[c]);
    for (std::size_t c = 0; c < 3; ++c) CHECK(shares[c] / sum == Approx(whole.shares[c]).margin(1e-5));
    row += words.size();
  }
  CHECK_THROWS_AS(evidence_of(small_classifier(Pooling::mean), examples, corpus, ""), std::invalid_argument);
}

TEST_CASE("evidence: gradient times input is the change when a word's numbers grow",
          "[recurrent_attention][gradients]") {
  TextClassifier<double> model = tiny_classifier<double>(Pooling::attention);
  model.sizes.input_dropout = model.sizes.state_dropout = model.sizes.pooled_dropout = 0;
  const Batch<double> batch = tiny_batch<double>();
  const auto loss = [&](Tape<double>& tape, const Variable<double>& scales) {
    return autograd::cross_entropy(model(tape, batch, &scales).scores, {2, 0, 1}, 1);
  };
  ArrayOf<double> ones = tensor::filled_array<double>({4, 3, 1}, 1);
  Tape<double> tape;
  const Variable<double> scales = tape.variable(ones);
  tape.backward(loss(tape, scales));
  const ArrayOf<double> gradient = *tape.gradient(scales);
  for (std::size_t i = 0; i < 12; ++i) {
    const auto at = [&](double step) {
      ArrayOf<double> moved = ones;
      moved.data()[i] += step;
      Tape<double> other;
      return loss(other, other.variable(moved)).data()[0];
    };
    CHECK(gradient.data()[i] == Approx((at(1e-6) - at(-1e-6)) / 2e-6).epsilon(1e-5).margin(1e-9));
  }
}
