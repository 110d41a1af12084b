#include "recall_model.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/reductions.hpp"
#include "autograd/softmax.hpp"
#include "program/in_parallel.hpp"

namespace attention::self_attention {

namespace {

using autograd::Right;
using tensor::ArrayOf;

/// 1 for the tokens that the last one may look at: those before it, or as many of them as the window holds.
ArrayOf<std::uint8_t> seen_by_last(LookBack way) {
  ArrayOf<std::uint8_t> seen = tensor::filled_array<std::uint8_t>({size(recall_pairs)}, 0);
  std::fill(seen.end() - reach_of(way), seen.end(), std::uint8_t{1});
  return seen;
}

/// elu(x) + 1: x + 1 above 0, e^x below.
template <class Real>
Variable<Real> positive_features(const Variable<Real>& x) {
  return autograd::relu(x) + autograd::exp(-autograd::relu(-x));
}

/// What the last token gets from those before it: [sequences, recall_width].
template <class Real>
Variable<Real> look_back(const RecallModel<Real>& model, const Variable<Real>& tokens, const Variable<Real>& last) {
  const auto sequences = last.shape()[0];
  const Variable<Real> q = autograd::reshape(model.query(last), {sequences, 1, size(recall_width)});
  const Variable<Real> k = model.key(tokens), v = model.value(tokens);
  Variable<Real> weights;
  if (model.way == LookBack::linear) {
    const Variable<Real> similarity = autograd::matmul(positive_features(q), positive_features(k), Right::transposed);
    weights = similarity / autograd::reshape(autograd::sum(similarity, -1), {sequences, 1, 1});
  } else {
    const double scale = 1 / std::sqrt(static_cast<double>(recall_width));
    weights = autograd::softmax(scale * autograd::matmul(q, k, Right::transposed), seen_by_last(model.way));
  }
  return autograd::reshape(autograd::matmul(weights, v), {sequences, size(recall_width)});
}

/// The last token after all layers of convolution, each followed by tanh: [sequences, recall_hidden].
template <class Real>
Variable<Real> convolve(const RecallModel<Real>& model, const Variable<Real>& tokens) {
  const Index reach = reach_of(model.way);
  // What lies further back does not reach the last token.
  Variable<Real> x = autograd::slice(tokens, 1, tokens.extent(1) - 1 - reach, tokens.extent(1));
  for (const autograd::Linear<Real>& layer : model.convolutions) {
    const Index left = x.extent(1) - (recall_kernel - 1);
    std::vector<Variable<Real>> shifted;
    for (Index t = 0; t < recall_kernel; ++t) shifted.push_back(autograd::slice(x, 1, t, t + left));
    x = autograd::tanh(layer(autograd::concatenate(shifted, -1)));
  }
  return autograd::reshape(x, {x.shape()[0], size(recall_hidden)});
}

}  // namespace

std::string name_of(LookBack way) {
  switch (way) {
    case LookBack::attention: return "attention";
    case LookBack::window: return "window";
    case LookBack::linear: return "linear";
    case LookBack::recurrent: return "recurrent";
    case LookBack::convolution: return "convolution";
  }
  throw std::invalid_argument("no such way to look back");
}

Index reach_of(LookBack way) {
  if (way == LookBack::window) return recall_window;
  if (way == LookBack::convolution) return recall_layers * (recall_kernel - 1);
  return recall_pairs;
}

template <class Real>
RecallModel<Real>::RecallModel(LookBack its_way, std::uint64_t seed) : way(its_way) {
  numerics::Random random(seed);
  names = autograd::Embedding<Real>(recall_names, recall_width, 1, random);
  values = autograd::Embedding<Real>(recall_values + 1, recall_width, 1, random);
  Index width = recall_width;
  if (way == LookBack::recurrent) {
    recurrent = autograd::Gru<Real>(recall_width, recall_hidden, random);
    width = recall_hidden;
  } else if (way == LookBack::convolution) {
    for (Index layer = 0; layer < recall_layers; ++layer)
      convolutions.emplace_back(recall_kernel * (layer == 0 ? recall_width : recall_hidden), recall_hidden, random);
    width = recall_hidden;
  } else {
    for (auto* projection : {&query, &key, &value}) *projection = autograd::Linear<Real>(recall_width, recall_width, random, false);
  }
  output = autograd::Linear<Real>(width, recall_values, random);
}

template <class Real>
Variable<Real> RecallModel<Real>::operator()(Tape<Real>& tape, const RecallBatch& batch) const {
  const auto sequences = size(batch.sequences());
  std::vector<Index> with_asked;
  for (Index s = 0; s < batch.sequences(); ++s) {
    with_asked.insert(with_asked.end(), batch.values.begin() + s * recall_pairs, batch.values.begin() + (s + 1) * recall_pairs);
    with_asked.push_back(recall_values);
  }
  // A token is the sum of what stands for its name and what stands for its value.
  const Variable<Real> tokens =
      autograd::reshape(names(tape, batch.names) + values(tape, with_asked), {sequences, size(recall_pairs + 1), size(recall_width)});
  if (way == LookBack::recurrent) return output(recurrent(autograd::permute(tokens, {1, 0, 2}), {}).last);
  if (way == LookBack::convolution) return output(convolve(*this, tokens));
  const Variable<Real> last = autograd::reshape(autograd::slice(tokens, 1, recall_pairs, recall_pairs + 1), {sequences, size(recall_width)});
  return output(look_back(*this, autograd::slice(tokens, 1, 0, recall_pairs), last));
}

template <class Real>
autograd::ParameterList<Real> RecallModel<Real>::parameters() {
  autograd::ParameterList<Real> list;
  names.collect("names", list);
  values.collect("values", list);
  if (way == LookBack::recurrent) {
    recurrent.collect("recurrent", list);
  } else if (way == LookBack::convolution) {
    for (std::size_t layer = 0; layer < convolutions.size(); ++layer) convolutions[layer].collect("convolution" + std::to_string(layer + 1), list);
  } else {
    query.collect("query", list);
    key.collect("key", list);
    value.collect("value", list);
  }
  output.collect("output", list);
  return list;
}

template <class Real>
Json RecallModel<Real>::configuration() const {
  return {{"model", "recall by " + name_of(way)}, {"pairs", recall_pairs}, {"names", recall_names}, {"values", recall_values},
          {"width", recall_width}, {"hidden", recall_hidden}, {"reach", reach_of(way)}};
}

std::vector<bool> answered(const RecallModel<float>& model, const RecallBatch& batch) {
  constexpr Index at_once = 128;  // all of a test's would take gigabytes
  std::vector<char> right(size(batch.sequences()));  // not bool: threads write to neighbours
  program::in_parallel(size((batch.sequences() + at_once - 1) / at_once), [&](std::size_t group) {
    const Index first = static_cast<Index>(group) * at_once;
    const RecallBatch part = part_of(batch, first, std::min(at_once, batch.sequences() - first));
    Tape<float> tape(autograd::Mode::evaluation);
    const Variable<float> scores = model(tape, part);
    for (Index s = 0; s < part.sequences(); ++s) {
      const float* row = scores.data() + s * recall_values;
      right[size(first + s)] = std::max_element(row, row + recall_values) - row == part.answers[size(s)];
    }
  });
  return {right.begin(), right.end()};
}

template struct RecallModel<float>;
template struct RecallModel<double>;

}  // namespace attention::self_attention
