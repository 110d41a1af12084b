#include "evidence_of.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "autograd/softmax.hpp"
#include "numerics/distribution.hpp"
#include "program/in_parallel.hpp"

namespace attention::recurrent_attention {

namespace {

using Words = std::vector<Index>;

Variable<float> shares_of(Tape<float>& tape, const TextClassifier<float>& model, std::span<const Words> texts,
                          const Lexicon& lexicon) {
  std::vector<const Words*> together;
  for (const Words& text : texts) together.push_back(&text);
  return autograd::softmax(model(tape, batch_of(together, lexicon, model.sizes)).scores);
}

/// The weights, the gradients and the states of one text; `states` has room for them.
void read_whole(const TextClassifier<float>& model, const Words& words, const Lexicon& lexicon,
                record::EvidenceText& text, float* states) {
  Tape<float> tape(autograd::Mode::training);
  const Variable<float> scales = tape.variable(tensor::filled_array<float>({words.size(), 1, 1}, 1));
  const std::vector<const Words*> alone{&words};
  const Answer<float> answer = model(tape, batch_of(alone, lexicon, model.sizes), &scales);
  text.attention.assign(answer.weights.data(), answer.weights.data() + answer.weights.size());
  std::copy_n(answer.states.data(), answer.states.size(), states);
  const Index told = std::max_element(answer.scores.data(), answer.scores.data() + answer.scores.size()) -
                     answer.scores.data();
  // The loss is −log share(told).
  tape.backward(autograd::cross_entropy(answer.scores, {told}, 1));
  for (const float g : *tape.gradient(scales)) text.gradient.push_back(-g);
}

/// How far the answer moves when each word in turn is left out.
void leave_out(const TextClassifier<float>& model, const Words& words, const Lexicon& lexicon,
               record::EvidenceText& text) {
  // Of one length, so that one batch holds them.
  std::vector<Words> without;
  for (std::size_t w = 0; w < words.size(); ++w) {
    Words rest = words;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(w));
    if (rest.empty()) rest.push_back(datasets::Vocabulary::unknown);
    without.push_back(std::move(rest));
  }
  Tape<float> tape(autograd::Mode::evaluation);
  const Variable<float> whole = shares_of(tape, model, {&words, 1}, lexicon),
                        others = shares_of(tape, model, without, lexicon);
  const auto classes = static_cast<std::size_t>(whole.size());
  for (std::size_t w = 0; w < words.size(); ++w)
    text.leave_one_out.push_back(static_cast<float>(numerics::total_variation(
        std::span(whole.data(), classes), std::span(others.data() + w * classes, classes))));
}

}  // namespace

record::EvidenceRecord evidence_of(const TextClassifier<float>& trained, std::span<const Example> examples,
                                   const Corpus& corpus, std::string title) {
  if (trained.pooling != Pooling::attention)
    throw std::invalid_argument("evidence is about weights of attention");
  TextClassifier<float> model = trained;
  model.sizes.input_dropout = model.sizes.state_dropout = model.sizes.pooled_dropout = 0;
  record::EvidenceRecord record;
  record.title = std::move(title);
  record.real = corpus.real;
  record.classes = corpus.classes;
  record.texts.resize(examples.size());
  const auto width = static_cast<std::size_t>(2 * model.sizes.hidden);
  std::vector<std::size_t> first{0};
  for (const Example& example : examples) first.push_back(first.back() + example.words.size());
  record.states = tensor::empty<2>({first.back(), width});
  program::in_parallel(examples.size(), [&](std::size_t i) {
    const Words& words = examples[i].words;
    record::EvidenceText& text = record.texts[i];
    for (const Index word : words) text.words.push_back(corpus.lexicon.word(word));
    text.label = static_cast<std::size_t>(examples[i].label);
    read_whole(model, words, corpus.lexicon, text, record.states.data() + first[i] * width);
    leave_out(model, words, corpus.lexicon, text);
  });
  const std::size_t classes = record.classes.size();
  record.output = tensor::empty<2>({width + 1, classes});
  std::copy_n(model.output.weights.value.data(), width * classes, record.output.data());
  std::copy_n(model.output.bias.value.data(), classes, record.output.data() + width * classes);
  return record;
}

}  // namespace attention::recurrent_attention
