#include "autograd/recurrent.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"

namespace attention::autograd {

namespace {

/// Runs the layer along time. `states` is 2 where the state is h beside c.
template <class Real, class Layer>
Unrolled<Real> unroll(const Layer& layer, Index states, const Variable<Real>& x, const std::vector<Index>& lengths, Direction direction,
                      const std::optional<Variable<Real>>& initial) {
  if (x.rank() != 3 || (!lengths.empty() && std::ssize(lengths) != x.extent(1)))
    throw std::invalid_argument(fmt::format("a recurrent layer takes [time, batch, inputs] and a length for each of the batch, not {} and {}", as_text(x.shape()), lengths.size()));
  const Index time = x.extent(0), batch = x.extent(1), hidden = layer.hidden();
  for (const Index length : lengths)
    if (length < 0 || length > time) throw std::invalid_argument(fmt::format("a length of {} in sequences of {}", length, time));
  Tape<Real>& tape = x.tape();
  const Variable<Real> projected = layer.project(x);
  Variable<Real> state = initial ? *initial : tape.constant(tensor::filled_array<Real>({size(batch), size(states * hidden)}, 0));
  const auto h_of = [&](const Variable<Real>& s) { return states == 1 ? s : slice(s, 1, 0, hidden); };
  std::vector<Variable<Real>> outputs(size(time));
  for (Index i = 0; i < time; ++i) {
    const Index at = direction == Direction::forward ? i : time - 1 - i;
    // Read backward, a shorter sequence begins later: its state stays as it was given until then.
    Active active;
    for (const Index length : lengths) active.push_back(at < length ? 1 : 0);
    state = layer.step(projected, at, state, active);
    outputs[size(at)] = h_of(state);
  }
  Unrolled<Real> result;
  result.last = h_of(state);
  if (states == 2) result.memory = slice(state, 1, hidden, 2 * hidden);
  if (time == 0) {
    result.outputs = tape.constant(tensor::empty_array<Real>({0, size(batch), size(hidden)}));
    return result;
  }
  result.outputs = stack(outputs);
  if (!lengths.empty()) {
    ArrayOf<Real> seen = tensor::empty_array<Real>({size(time), size(batch), 1});
    for (Index t = 0; t < time; ++t)
      for (Index b = 0; b < batch; ++b) seen.data()[t * batch + b] = t < lengths[size(b)] ? Real{1} : Real{0};
    result.outputs = result.outputs * tape.constant(std::move(seen));
  }
  return result;
}

}  // namespace

template <class Real>
RecurrentWeights<Real>::RecurrentWeights(Index gates, Index inputs, Index hidden, numerics::Random& random) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  input_weights = uniform_parameter<Real>({size(inputs), size(gates * hidden)}, bound, random);
  recurrent_weights = uniform_parameter<Real>({size(hidden), size(gates * hidden)}, bound, random);
  input_bias = uniform_parameter<Real>({size(gates * hidden)}, bound, random);
  recurrent_bias = uniform_parameter<Real>({size(gates * hidden)}, bound, random);
}

template <class Real>
Variable<Real> RecurrentWeights<Real>::project(const Variable<Real>& x) const {
  return matmul(x, x.tape().parameter(input_weights)) + x.tape().parameter(input_bias);
}

template <class Real>
void RecurrentWeights<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  list.push_back({name + ".input_weights", &input_weights});
  list.push_back({name + ".recurrent_weights", &recurrent_weights});
  list.push_back({name + ".input_bias", &input_bias});
  list.push_back({name + ".recurrent_bias", &recurrent_bias});
}

template <class Real>
Variable<Real> Gru<Real>::step(const Variable<Real>& projected, Index at, const Variable<Real>& state, const Active& active) const {
  Tape<Real>& tape = state.tape();
  const Variable<Real> weights = tape.parameter(this->recurrent_weights), shift = tape.parameter(this->recurrent_bias);
  if (reset == Reset::after_product) return gru_cell(projected, at, matmul(state, weights) + shift, state, active);
  const Index n = this->hidden(), batch = state.extent(0);
  const Variable<Real> x = reshape(slice(projected, 0, at, at + 1), {size(batch), size(3 * n)});
  const auto part = [n](const Variable<Real>& v, Index first, Index last) { return slice(v, -1, first * n, last * n); };
  const Variable<Real> gates = sigmoid(part(x, 0, 2) + matmul(state, part(weights, 0, 2)) + part(shift, 0, 2));
  const Variable<Real> z = part(gates, 0, 1);
  const Variable<Real> candidate = tanh(part(x, 2, 3) + matmul(part(gates, 1, 2) * state, part(weights, 2, 3)) + part(shift, 2, 3));
  const Variable<Real> next = candidate + z * (state - candidate);
  if (active.empty()) return next;
  ArrayOf<Real> going = tensor::empty_array<Real>({size(batch), 1});
  std::copy(active.begin(), active.end(), going.data());
  return state + tape.constant(std::move(going)) * (next - state);
}

template <class Real>
Unrolled<Real> Gru<Real>::operator()(const Variable<Real>& x, const std::vector<Index>& lengths, Direction direction,
                                     const std::optional<Variable<Real>>& initial) const {
  return unroll(*this, 1, x, lengths, direction, initial);
}

template <class Real>
Variable<Real> Lstm<Real>::step(const Variable<Real>& projected, Index at, const Variable<Real>& state, const Active& active) const {
  Tape<Real>& tape = state.tape();
  const Variable<Real> products = matmul(slice(state, 1, 0, this->hidden()), tape.parameter(this->recurrent_weights)) + tape.parameter(this->recurrent_bias);
  if (peepholes.value.dimension() == 0) return lstm_cell(projected, at, products, state, active);
  const Variable<Real> peep = tape.parameter(peepholes);
  return lstm_cell(projected, at, products, state, active, &peep);
}

template <class Real>
Unrolled<Real> Lstm<Real>::operator()(const Variable<Real>& x, const std::vector<Index>& lengths, Direction direction,
                                      const std::optional<Variable<Real>>& initial) const {
  return unroll(*this, 2, x, lengths, direction, initial);
}

template <class Real>
void Lstm<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  RecurrentWeights<Real>::collect(name, list);
  if (peepholes.value.dimension() != 0) list.push_back({name + ".peepholes", &peepholes});
}

template <class Real, template <class> class Layer>
Unrolled<Real> both_directions(const Layer<Real>& forward, const Layer<Real>& backward, const Variable<Real>& x, const std::vector<Index>& lengths) {
  const Unrolled<Real> there = forward(x, lengths, Direction::forward);
  const Unrolled<Real> back = backward(x, lengths, Direction::backward);
  return {concatenate(std::vector{there.outputs, back.outputs}, -1), concatenate(std::vector{there.last, back.last}, -1), {}};
}

#define ATTENTION_DEFINE(Real)                                                                                            \
  template struct RecurrentWeights<Real>;                                                                                 \
  template struct Gru<Real>;                                                                                              \
  template struct Lstm<Real>;                                                                                             \
  template Unrolled<Real> both_directions(const Gru<Real>&, const Gru<Real>&, const Variable<Real>&, const std::vector<Index>&); \
  template Unrolled<Real> both_directions(const Lstm<Real>&, const Lstm<Real>&, const Variable<Real>&, const std::vector<Index>&);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
