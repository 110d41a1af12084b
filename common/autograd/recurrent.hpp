#pragma once

#include <optional>

#include "autograd/layers.hpp"
#include "autograd/recurrent_cells.hpp"

namespace attention::autograd {

enum class Direction { forward, backward };

/// What a recurrent layer gives for sequences [time, batch, …].
template <class Real>
struct Unrolled {
  Variable<Real> outputs;  ///< [time, batch, hidden]; 0 behind a sequence's end
  Variable<Real> last;     ///< the state [batch, hidden] after a sequence's last element (its first, where read backward)
  Variable<Real> memory;   ///< LSTM: c beside it, [batch, hidden]
};

/// The weights of a recurrent layer whose step has so many gates, side by side.
template <class Real>
struct RecurrentWeights {
  Parameter<Real> input_weights;               ///< [inputs, gates · hidden]
  Parameter<Real> recurrent_weights;           ///< [hidden, gates · hidden]
  Parameter<Real> input_bias, recurrent_bias;  ///< [gates · hidden]

  RecurrentWeights() = default;
  /// Uniform in ±1/√hidden.
  RecurrentWeights(Index gates, Index inputs, Index hidden, numerics::Random& random);
  Index hidden() const { return static_cast<Index>(recurrent_weights.value.shape()[0]); }

  /// x [… , inputs] to what a cell takes as input: [… , gates · hidden].
  Variable<Real> project(const Variable<Real>& x) const;
  void collect(const std::string& name, ParameterList<Real>& list);
};

/// Where a gated recurrent unit's reset gate acts: on the product of the state with its weights, as in gru_cell, or on the state before
/// it, as Cho and others 2014 wrote it (equation 8), which takes a second product at each step.
enum class Reset { after_product, before_product };

/// A layer of gated recurrent units (see gru_cell): gates z r n.
template <class Real>
struct Gru : RecurrentWeights<Real> {
  Reset reset = Reset::after_product;

  Gru() = default;
  Gru(Index inputs, Index hidden, numerics::Random& random) : RecurrentWeights<Real>(3, inputs, hidden, random) {}

  /// One step from `state` [batch, hidden], x given as project() gives it.
  Variable<Real> step(const Variable<Real>& projected, Index at, const Variable<Real>& state, const Active& active = {}) const;
  /// x [time, batch, inputs], whose sequences have the given lengths (none: all are whole), from `initial` [batch, hidden] (none: 0).
  Unrolled<Real> operator()(const Variable<Real>& x, const std::vector<Index>& lengths, Direction direction = Direction::forward,
                            const std::optional<Variable<Real>>& initial = {}) const;
};

/// A layer of long short-term memory (see lstm_cell): gates i o f g.
template <class Real>
struct Lstm : RecurrentWeights<Real> {
  Parameter<Real> peepholes;  ///< [3 · hidden], i o f; or empty: none

  Lstm() = default;
  Lstm(Index inputs, Index hidden, numerics::Random& random) : RecurrentWeights<Real>(4, inputs, hidden, random) {}

  /// One step from `state` [batch, 2 · hidden], h beside c.
  Variable<Real> step(const Variable<Real>& projected, Index at, const Variable<Real>& state, const Active& active = {}) const;
  /// As Gru's; `initial` [batch, 2 · hidden] is h beside c.
  Unrolled<Real> operator()(const Variable<Real>& x, const std::vector<Index>& lengths, Direction direction = Direction::forward,
                            const std::optional<Variable<Real>>& initial = {}) const;
  void collect(const std::string& name, ParameterList<Real>& list);
};

/// Two layers over the same sequences, one in each direction, their outputs side by side: [time, batch, 2 · hidden], last [batch, 2 · hidden].
template <class Real, template <class> class Layer>
Unrolled<Real> both_directions(const Layer<Real>& forward, const Layer<Real>& backward, const Variable<Real>& x, const std::vector<Index>& lengths);

#define ATTENTION_DECLARE(Real)                                                                                                  \
  extern template struct RecurrentWeights<Real>;                                                                                 \
  extern template struct Gru<Real>;                                                                                              \
  extern template struct Lstm<Real>;                                                                                             \
  extern template Unrolled<Real> both_directions(const Gru<Real>&, const Gru<Real>&, const Variable<Real>&, const std::vector<Index>&); \
  extern template Unrolled<Real> both_directions(const Lstm<Real>&, const Lstm<Real>&, const Variable<Real>&, const std::vector<Index>&);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
