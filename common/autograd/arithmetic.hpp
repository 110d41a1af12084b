#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Element by element. Where the shapes differ they are broadcast as in NumPy: aligned at the last axis, a length of 1 (or none) is
/// repeated. The gradient of what was repeated is the sum over its repetitions. Throws std::invalid_argument, naming both shapes, where
/// that cannot be done.
template <class Real>
Variable<Real> operator+(const Variable<Real>& a, const Variable<Real>& b);
template <class Real>
Variable<Real> operator-(const Variable<Real>& a, const Variable<Real>& b);
template <class Real>
Variable<Real> operator*(const Variable<Real>& a, const Variable<Real>& b);
template <class Real>
Variable<Real> operator/(const Variable<Real>& a, const Variable<Real>& b);

/// factor · a + shift.
template <class Real>
Variable<Real> affine(const Variable<Real>& a, double factor, double shift);

template <class Real>
Variable<Real> operator*(double factor, const Variable<Real>& a) {
  return affine(a, factor, 0);
}
template <class Real>
Variable<Real> operator-(const Variable<Real>& a) {
  return affine(a, -1, 0);
}

/// "[2, 3]", for messages.
std::string as_text(const Shape& shape);

#define ATTENTION_DECLARE(Real)                                                                            \
  extern template Variable<Real> operator+(const Variable<Real>&, const Variable<Real>&);                  \
  extern template Variable<Real> operator-(const Variable<Real>&, const Variable<Real>&);                  \
  extern template Variable<Real> operator*(const Variable<Real>&, const Variable<Real>&);                  \
  extern template Variable<Real> operator/(const Variable<Real>&, const Variable<Real>&);                  \
  extern template Variable<Real> affine(const Variable<Real>&, double, double);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
