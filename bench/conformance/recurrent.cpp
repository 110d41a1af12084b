// LSTM and GRU: the layers that the chapters train, given the standard's weights and layouts.
#include "autograd/recurrent.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

using autograd::Direction;
using autograd::Tape;
using autograd::Unrolled;
using autograd::Variable;
using tensor::ArrayOf;

/// What both operators have in common.
struct Recurrence {
  Index gates, directions, hidden, time, batch, inputs;
  bool batch_first;
  std::vector<Direction> order;
  std::vector<Index> lengths;  ///< empty: all are whole
};

ArrayOf<float> array_of(const tensor::Shape& shape, const float* from) {
  ArrayOf<float> array = tensor::empty_array<float>(shape);
  std::copy_n(from, array.size(), array.data());
  return array;
}

void require_default_activations(const Case& given, std::vector<std::string> expected, Index directions) {
  if (!given.attributes.contains("activations")) return;
  const std::vector<std::string> one = expected;
  if (directions == 2) expected.insert(expected.end(), one.begin(), one.end());
  if (given.attributes["activations"] != Json(expected)) throw NotKnown("activations other than the usual ones are not known here");
}

Recurrence recurrence_of(const Case& given, Index gates) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& r = *given.input(2);
  for (const std::size_t i : std::initializer_list<std::size_t>{0, 1, 2, 3, 5, 6, 7})
    if (const CaseTensor* tensor = given.input(i)) {
      require_float(*tensor);
      require_same_dtype(*tensor, x);
    }
  for (const std::size_t i : std::initializer_list<std::size_t>{0, 1, 2})
    if (const CaseTensor* tensor = given.output(i)) require_same_dtype(*tensor, x);
  const Attributes attributes(given.attributes);
  Recurrence all{};
  all.gates = gates;
  const std::string direction = attributes.text("direction", "forward");
  if (direction == "forward") all.order = {Direction::forward};
  else if (direction == "reverse") all.order = {Direction::backward};
  else if (direction == "bidirectional") all.order = {Direction::forward, Direction::backward};
  else throw program::UserError(fmt::format("direction is forward, reverse or bidirectional, not '{}'", direction));
  all.directions = std::ssize(all.order);
  all.batch_first = attributes.integer("layout", 0, 0, 1) == 1;
  if (x.rank() != 3 || r.rank() != 3) throw program::UserError("X and R have three dimensions");
  all.time = x.extent(all.batch_first ? 1 : 0);
  all.batch = x.extent(all.batch_first ? 0 : 1);
  all.inputs = x.extent(2);
  all.hidden = attributes.integer("hidden_size", r.extent(2), 1);
  require_shape(*given.input(1), {all.directions, gates * all.hidden, all.inputs});
  require_shape(r, {all.directions, gates * all.hidden, all.hidden});
  if (const CaseTensor* bias = given.input(3)) require_shape(*bias, {all.directions, 2 * gates * all.hidden});
  if (const CaseTensor* lengths = given.input(4)) {
    require_shape(*lengths, {all.batch});
    all.lengths = lengths->as_index();
    for (const Index length : all.lengths)
      if (length < 0 || length > all.time) throw program::UserError(fmt::format("sequence_lens holds {}, X has {} steps", length, all.time));
  }
  return all;
}

/// The layer of one direction: the standard's weights stand the other way round.
template <class Layer>
Layer layer_of(const Case& given, const Recurrence& all, Index direction) {
  const auto transposed = [&](const CaseTensor& tensor, Index rows, Index columns) {
    const std::vector<float> from = tensor.as_float();
    ArrayOf<float> to = tensor::empty_array<float>({size(columns), size(rows)});
    for (Index i = 0; i < rows; ++i)
      for (Index j = 0; j < columns; ++j) to.data()[j * rows + i] = from[size((direction * rows + i) * columns + j)];
    return to;
  };
  const Index rows = all.gates * all.hidden;
  Layer layer;
  layer.input_weights.value = transposed(*given.input(1), rows, all.inputs);
  layer.recurrent_weights.value = transposed(*given.input(2), rows, all.hidden);
  const std::vector<float> bias = given.input(3) ? given.input(3)->as_float() : std::vector<float>(size(all.directions * 2 * rows), 0);
  layer.input_bias.value = array_of({size(rows)}, bias.data() + direction * 2 * rows);
  layer.recurrent_bias.value = array_of({size(rows)}, bias.data() + direction * 2 * rows + rows);
  return layer;
}

/// One direction's rows of a state [directions, batch, hidden], or [batch, directions, hidden], or zeros where it is left out: into columns of `to`.
void put_state(const CaseTensor* tensor, const Recurrence& all, Index direction, Index column, ArrayOf<float>& to) {
  if (!tensor) return;
  require_shape(*tensor, all.batch_first ? Shape{all.batch, all.directions, all.hidden} : Shape{all.directions, all.batch, all.hidden});
  const std::vector<float> from = tensor->as_float();
  const Index width = static_cast<Index>(to.shape()[1]);
  for (Index b = 0; b < all.batch; ++b) {
    const Index row = all.batch_first ? b * all.directions + direction : direction * all.batch + b;
    std::copy_n(from.data() + row * all.hidden, all.hidden, to.data() + b * width + column);
  }
}

/// Runs all directions and holds Y, Y_h and Y_c against the expected ones. `layer` makes the layer of a direction.
template <class Make>
void run_layers(const Case& given, Report& report, const Recurrence& all, Index states, Make layer) {
  const std::vector<float> numbers = given.input(0)->as_float();
  ArrayOf<float> x = tensor::empty_array<float>({size(all.time), size(all.batch), size(all.inputs)});
  for (Index t = 0; t < all.time; ++t)
    for (Index b = 0; b < all.batch; ++b)
      std::copy_n(numbers.data() + (all.batch_first ? b * all.time + t : t * all.batch + b) * all.inputs, all.inputs, x.data() + (t * all.batch + b) * all.inputs);

  const auto count = size(all.directions * all.batch * all.hidden);
  std::vector<float> y(count * size(all.time)), last(count), memory(count);
  for (Index d = 0; d < all.directions; ++d) {
    ArrayOf<float> initial = tensor::filled_array<float>({size(all.batch), size(states * all.hidden)}, 0);
    put_state(given.input(5), all, d, 0, initial);
    if (states == 2) put_state(given.input(6), all, d, all.hidden, initial);
    const auto made = layer(d);
    // A tape of its own: it knows weights by their place in memory, where the next direction's may come to lie.
    Tape<float> tape(autograd::Mode::evaluation);
    const Unrolled<float> found = made(tape.constant(x), all.lengths, all.order[size(d)], tape.constant(std::move(initial)));
    for (Index b = 0; b < all.batch; ++b) {
      const Index row = all.batch_first ? b * all.directions + d : d * all.batch + b;
      std::copy_n(found.last.data() + b * all.hidden, all.hidden, last.data() + row * all.hidden);
      if (states == 2) std::copy_n(found.memory.data() + b * all.hidden, all.hidden, memory.data() + row * all.hidden);
      for (Index t = 0; t < all.time; ++t) {
        const Index place = all.batch_first ? (b * all.time + t) * all.directions + d : (t * all.directions + d) * all.batch + b;
        std::copy_n(found.outputs.data() + (t * all.batch + b) * all.hidden, all.hidden, y.data() + place * all.hidden);
      }
    }
  }
  const Shape state = all.batch_first ? Shape{all.batch, all.directions, all.hidden} : Shape{all.directions, all.batch, all.hidden};
  if (const CaseTensor* expected = given.output(0)) {
    require_shape(*expected, all.batch_first ? Shape{all.batch, all.time, all.directions, all.hidden} : Shape{all.time, all.directions, all.batch, all.hidden});
    report.check("layer", *expected, y);
  }
  if (const CaseTensor* expected = given.output(1)) {
    require_shape(*expected, state);
    report.check("layer", *expected, last);
  }
  if (const CaseTensor* expected = given.output(2)) {
    require_shape(*expected, state);
    report.check("layer", *expected, memory);
  }
}

}  // namespace

void run_lstm(const Case& given, Report& report) {
  const Recurrence all = recurrence_of(given, 4);
  require_default_activations(given, {"Sigmoid", "Tanh", "Tanh"}, all.directions);
  if (Attributes(given.attributes).integer("input_forget", 0, 0, 1) == 1) throw NotKnown("input_forget 1 is not known here, 0 is");
  const CaseTensor* peepholes = given.input(7);
  if (peepholes) require_shape(*peepholes, {all.directions, 3 * all.hidden});
  const std::vector<float> peep = peepholes ? peepholes->as_float() : std::vector<float>();
  run_layers(given, report, all, 2, [&](Index direction) {
    auto layer = layer_of<autograd::Lstm<float>>(given, all, direction);
    if (peepholes) layer.peepholes.value = array_of({size(3 * all.hidden)}, peep.data() + direction * 3 * all.hidden);
    return layer;
  });
}

void run_gru(const Case& given, Report& report) {
  const Recurrence all = recurrence_of(given, 3);
  require_default_activations(given, {"Sigmoid", "Tanh"}, all.directions);
  const bool after = Attributes(given.attributes).integer("linear_before_reset", 0, 0, 1) == 1;
  run_layers(given, report, all, 1, [&](Index direction) {
    auto layer = layer_of<autograd::Gru<float>>(given, all, direction);
    layer.reset = after ? autograd::Reset::after_product : autograd::Reset::before_product;
    return layer;
  });
}

}  // namespace attention::conformance
