#include "text_classifier.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/reductions.hpp"
#include "autograd/softmax.hpp"

namespace attention::recurrent_attention {

namespace {

/// The words' numbers: those given with them beside those learnt.
template <class Real>
Variable<Real> inputs(const TextClassifier<Real>& model, Tape<Real>& tape, const Batch<Real>& batch) {
  std::vector<Variable<Real>> parts;
  if (model.sizes.given > 0) parts.push_back(tape.constant(batch.given));
  if (model.sizes.learnt > 0)
    parts.push_back(autograd::reshape(model.embedding(tape, batch.words), {size(batch.time()), size(batch.texts()), size(model.sizes.learnt)}));
  return parts.size() == 1 ? parts[0] : autograd::concatenate(parts, -1);
}

/// Equal weights for the words of each text: [texts, time].
template <class Real>
ArrayOf<Real> equal_weights(const Batch<Real>& batch) {
  ArrayOf<Real> weights = tensor::filled_array<Real>({size(batch.texts()), size(batch.time())}, 0);
  for (Index b = 0; b < batch.texts(); ++b) {
    const Index length = batch.lengths[size(b)];
    for (Index t = 0; t < length; ++t) weights.data()[b * batch.time() + t] = static_cast<Real>(1.0 / static_cast<double>(length));
  }
  return weights;
}

}  // namespace

std::string name_of(Pooling pooling) {
  switch (pooling) {
    case Pooling::last_state: return "last_state";
    case Pooling::mean: return "mean_pooling";
    case Pooling::attention: return "attention";
  }
  throw std::invalid_argument("no such pooling");
}

Json Sizes::to_json() const {
  return {{"given", given}, {"words", words}, {"learnt", learnt}, {"hidden", hidden}, {"classes", classes},
          {"input_dropout", input_dropout}, {"state_dropout", state_dropout}, {"pooled_dropout", pooled_dropout}};
}

template <class Real>
TextClassifier<Real>::TextClassifier(const Sizes& its_sizes, Pooling its_pooling, std::uint64_t seed) : sizes(its_sizes), pooling(its_pooling) {
  numerics::Random random(seed);
  if (sizes.learnt > 0) embedding = autograd::Embedding<Real>(sizes.words, sizes.learnt, 0.1, random);
  const Index width = sizes.given + sizes.learnt;
  forward = autograd::Lstm<Real>(width, sizes.hidden, random);
  backward = autograd::Lstm<Real>(width, sizes.hidden, random);
  output = autograd::Linear<Real>(2 * sizes.hidden, sizes.classes, random);
  // Last, so that the others do not depend on it. From 0: training begins with equal weights, as the mean has them.
  if (pooling == Pooling::attention) attention = autograd::constant_parameter<Real>({size(2 * sizes.hidden), 1}, 0);
}

template <class Real>
Answer<Real> TextClassifier<Real>::operator()(Tape<Real>& tape, const Batch<Real>& batch, const Variable<Real>* scales) const {
  const Index time = batch.time(), texts = batch.texts();
  if (time == 0 || std::ssize(batch.words) != time * texts || (sizes.given > 0 && static_cast<Index>(batch.given.size()) != time * texts * sizes.given))
    throw std::invalid_argument(fmt::format("a batch of {} texts with {} words and {} given numbers does not fit a classifier with {} a word", texts,
                                            batch.words.size(), batch.given.size(), sizes.given));
  const Variable<Real> words = inputs(*this, tape, batch);
  const Variable<Real> x = autograd::dropout(scales == nullptr ? words : words * *scales, sizes.input_dropout);
  const autograd::Unrolled<Real> read = autograd::both_directions(forward, backward, x, batch.lengths);
  Answer<Real> answer;
  Variable<Real> pooled;
  if (pooling == Pooling::last_state) {
    pooled = autograd::dropout(read.last, sizes.state_dropout);
  } else {
    const Variable<Real> states = autograd::dropout(read.outputs, sizes.state_dropout);  // H, [time, texts, 2 · hidden]
    if (pooling == Pooling::attention) {
      const Variable<Real> m = autograd::tanh(states);                                   // M = tanh(H), equation 9
      const Variable<Real> scores = autograd::matmul(m, tape.parameter(attention));      // wᵀ M
      const Variable<Real> by_text = autograd::permute(autograd::reshape(scores, {size(time), size(texts)}), {1, 0});
      answer.weights = autograd::softmax(by_text, autograd::mask_of_lengths(batch.lengths, time));  // α, equation 10
    } else {
      answer.weights = tape.constant(equal_weights(batch));
    }
    const Variable<Real> alpha = autograd::reshape(autograd::permute(answer.weights, {1, 0}), {size(time), size(texts), 1});
    pooled = autograd::sum(states * alpha, 0);  // r = H αᵀ, equation 11
    answer.states = states;
  }
  answer.scores = output(autograd::dropout(autograd::tanh(pooled), sizes.pooled_dropout));  // h* = tanh(r), equation 12
  return answer;
}

template <class Real>
autograd::ParameterList<Real> TextClassifier<Real>::parameters() {
  autograd::ParameterList<Real> list;
  if (sizes.learnt > 0) embedding.collect("embedding", list);
  forward.collect("forward", list);
  backward.collect("backward", list);
  if (pooling == Pooling::attention) list.push_back({"attention", &attention});
  output.collect("output", list);
  return list;
}

template struct TextClassifier<float>;
template struct TextClassifier<double>;

}  // namespace attention::recurrent_attention
