#pragma once

#include <deque>
#include <functional>
#include <initializer_list>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "numerics/random.hpp"
#include "tensor/array.hpp"

/// Reverse-mode differentiation (Wengert 1964; Linnainmaa 1970; Baydin and others 2018, Automatic Differentiation in Machine
/// Learning: a Survey, section 3.2).
///
/// A computation is written on a tape as it runs: each operation's result, and how a gradient of the result becomes gradients of
/// what went in. Read backwards from the loss, the tape gives the gradient of everything on it, at the cost of a few forward
/// passes. Everything comes for float, which trains, and for double, in which the gradients are checked.
namespace attention::autograd {

using tensor::ArrayOf;
using tensor::Index;
using tensor::Shape;

/// Weights that are learnt. They live in a model; a tape only reads them.
template <class Real>
struct Parameter {
  ArrayOf<Real> value;
};

template <class Real>
class Tape;

/// A value on a tape. Copies name the same value. It is valid as long as the tape.
template <class Real>
class Variable {
 public:
  Variable() = default;
  Variable(Tape<Real>& tape, std::size_t node) : tape_(&tape), node_(node) {}

  const ArrayOf<Real>& value() const;
  const Real* data() const { return value().data(); }
  Shape shape() const { return tensor::shape_of(value()); }
  Index rank() const { return static_cast<Index>(value().dimension()); }
  Index size() const { return static_cast<Index>(value().size()); }
  /// Length of an axis; negative ones count from the last.
  Index extent(Index axis) const;
  /// Whether a gradient of it is wanted, which an operation's backward function asks before it computes one.
  bool needs_gradient() const;
  /// The gradient gathered so far, zeros at first: a backward function adds to it.
  Real* gradient() const;

  Tape<Real>& tape() const { return *tape_; }
  std::size_t node() const { return node_; }

 private:
  Tape<Real>* tape_ = nullptr;
  std::size_t node_ = 0;
};

/// Adds to the gradients of what went in, given an operation's result and the gradient of it, which it may move away.
template <class Real>
using Backward = std::function<void(const ArrayOf<Real>& result, ArrayOf<Real>& gradient)>;

/// Whether the tape is to be read backwards, and whether dropout acts.
enum class Mode { training, evaluation };

template <class Real>
class Tape {
 public:
  /// All that is random on the tape (dropout) follows from `seed`.
  explicit Tape(Mode mode = Mode::training, std::uint64_t seed = 0) : mode_(mode), random_(seed) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  Mode mode() const { return mode_; }
  numerics::Random& random() { return random_; }

  /// A value that has no gradient: input.
  Variable<Real> constant(ArrayOf<Real> value);
  /// A value whose gradient is wanted and stays readable after backward().
  Variable<Real> variable(ArrayOf<Real> value);
  /// A model's weights: one node a tape, however often it is asked for. `parameter` must live as long as the tape is read.
  Variable<Real> parameter(const Parameter<Real>& parameter);

  /// Puts an operation on the tape: its result, what went in, and its backward function. That is kept only where a gradient of an input is
  /// wanted. The way in for an operation with a forward and backward pass of its own.
  Variable<Real> record(ArrayOf<Real> value, std::span<const Variable<Real>> inputs, Backward<Real> backward);
  Variable<Real> record(ArrayOf<Real> value, std::initializer_list<Variable<Real>> inputs, Backward<Real> backward) {
    return record(std::move(value), std::span(inputs.begin(), inputs.size()), std::move(backward));
  }

  /// The gradients of `loss` (one element) with respect to everything before it, added to those of the losses before.
  void backward(const Variable<Real>& loss);

  /// The gradient of a variable() or of a parameter; null where nothing of the loss depends on it.
  const ArrayOf<Real>* gradient(const Variable<Real>& variable) const;
  const ArrayOf<Real>* gradient(const Parameter<Real>& parameter) const;

  /// For the matrix product: gradient(weights) += leftᵀ · right is put off until backward() has seen the whole tape. A weight matrix of a
  /// recurrent net is used at every step, with few rows each; all of them together are one large product instead of many small ones.
  void defer_product(const Variable<Real>& weights, ArrayOf<Real> left, ArrayOf<Real> right);
  /// Whether `variable` is a parameter as it stands.
  bool is_parameter(const Variable<Real>& variable) const { return nodes_[variable.node()].parameter; }
  /// The matrix of a parameter packed for the micro-kernel, done once a tape.
  const float* packed(const Variable<Real>& weights, bool transposed);

 private:
  friend class Variable<Real>;

  struct Deferred {
    ArrayOf<Real> left, right;
  };
  struct Node {
    ArrayOf<Real> own;  ///< the value; a parameter's stands in its model
    const ArrayOf<Real>* value = nullptr;
    ArrayOf<Real> gradient;
    bool has_gradient = false;
    bool needs_gradient = false;
    bool kept = false;  ///< its gradient is to be read later
    bool parameter = false;
    Backward<Real> backward;
    std::vector<Deferred> deferred;
    tensor::UnsetBuffer packed[2];
  };

  Variable<Real> add(Node node);
  void multiply_deferred(Node& node);

  Mode mode_;
  numerics::Random random_;
  std::deque<Node> nodes_;  ///< its elements stay where they are
  std::unordered_map<const Parameter<Real>*, std::size_t> parameters_;
};

template <class Real>
const ArrayOf<Real>& Variable<Real>::value() const {
  return *tape_->nodes_[node_].value;
}

extern template class Variable<float>;
extern template class Variable<double>;
extern template class Tape<float>;
extern template class Tape<double>;

}  // namespace attention::autograd
