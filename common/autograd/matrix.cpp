#include "autograd/matrix.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <type_traits>

#include "autograd/arithmetic.hpp"
#include "autograd/product.hpp"

namespace attention::autograd {

namespace {

/// A product of one matrix of weights, or of as many matrices as there are.
struct Plan {
  Index matrices = 1;
  Index rows = 0, columns = 0, depth = 0;
  bool transposed = false;
  Shape shape;
};

template <class Real>
Plan plan(const Variable<Real>& a, const Variable<Real>& b, Right right) {
  const Shape left = a.shape(), other = b.shape();
  const auto refuse = [&]() {
    return std::invalid_argument(fmt::format("{} and {}{} have no matrix product", as_text(left), as_text(other),
                                             right == Right::transposed ? " transposed" : ""));
  };
  if (left.empty() || other.size() < 2) throw refuse();
  Plan p;
  p.transposed = right == Right::transposed;
  p.depth = a.extent(-1);
  p.columns = b.extent(p.transposed ? -2 : -1);
  if (b.extent(p.transposed ? -1 : -2) != p.depth) throw refuse();
  p.shape = left;
  p.shape.back() = static_cast<std::size_t>(p.columns);
  if (other.size() == 2) {
    p.rows = 1;
    for (std::size_t axis = 0; axis + 1 < left.size(); ++axis) p.rows *= static_cast<Index>(left[axis]);
    return p;
  }
  if (left.size() != other.size()) throw refuse();
  p.rows = a.extent(-2);
  for (std::size_t axis = 0; axis + 2 < left.size(); ++axis) {
    if (left[axis] != other[axis]) throw refuse();
    p.matrices *= static_cast<Index>(left[axis]);
  }
  return p;
}

/// gradient(a) += gradient · bᵀ
template <class Real>
void add_to_left(const Plan& p, const Variable<Real>& a, const Variable<Real>& b, const ArrayOf<Real>& gradient) {
  if constexpr (std::is_same_v<Real, float>)
    if (p.rows >= few_rows && a.tape().is_parameter(b)) {
      tensor::UnsetBuffer product(static_cast<std::size_t>(p.rows * p.depth));
      multiply_by_packed(p.rows, p.depth, p.columns, gradient.data(), a.tape().packed(b, !p.transposed), product.data());
      add(product.data(), p.rows * p.depth, a.gradient());
      return;
    }
  for (Index m = 0; m < p.matrices; ++m)
    multiply<Real>({.rows = p.rows, .columns = p.depth, .depth = p.columns, .right_transposed = !p.transposed},
                   gradient.data() + m * p.rows * p.columns, b.data() + m * p.columns * p.depth, a.gradient() + m * p.rows * p.depth);
}

/// gradient(b) += aᵀ · gradient, or its transpose. `gradient` is moved away where the product is put off.
template <class Real>
void add_to_right(const Plan& p, const Variable<Real>& a, const Variable<Real>& b, ArrayOf<Real>& gradient) {
  if (a.tape().is_parameter(b)) {
    if (p.transposed)
      a.tape().defer_product(b, std::move(gradient), a.value());
    else
      a.tape().defer_product(b, a.value(), std::move(gradient));
    return;
  }
  for (Index m = 0; m < p.matrices; ++m) {
    const Real* left = a.data() + m * p.rows * p.depth;
    const Real* right = gradient.data() + m * p.rows * p.columns;
    Real* into = b.gradient() + m * p.columns * p.depth;
    if (p.transposed)
      multiply<Real>({.rows = p.columns, .columns = p.depth, .depth = p.rows, .left_transposed = true}, right, left, into);
    else
      multiply<Real>({.rows = p.depth, .columns = p.columns, .depth = p.rows, .left_transposed = true}, left, right, into);
  }
}

}  // namespace

template <class Real>
Variable<Real> matmul(const Variable<Real>& a, const Variable<Real>& b, Right right) {
  const Plan p = plan(a, b, right);
  Tape<Real>& tape = a.tape();
  ArrayOf<Real> result = tensor::filled_array<Real>(p.shape, 0);
  bool done = false;
  if constexpr (std::is_same_v<Real, float>)
    if (p.rows >= few_rows && tape.is_parameter(b)) {
      multiply_by_packed(p.rows, p.columns, p.depth, a.data(), tape.packed(b, p.transposed), result.data());
      done = true;
    }
  for (Index m = 0; m < p.matrices && !done; ++m)
    multiply<Real>({.rows = p.rows, .columns = p.columns, .depth = p.depth, .right_transposed = p.transposed},
                   a.data() + m * p.rows * p.depth, b.data() + m * p.columns * p.depth, result.data() + m * p.rows * p.columns);
  return tape.record(std::move(result), {a, b}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    if (a.needs_gradient()) add_to_left(p, a, b, gradient);
    if (b.needs_gradient()) add_to_right(p, a, b, gradient);
  });
}

template Variable<float> matmul(const Variable<float>&, const Variable<float>&, Right);
template Variable<double> matmul(const Variable<double>&, const Variable<double>&, Right);

}  // namespace attention::autograd
