#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Element by element.
template <class Real>
Variable<Real> tanh(const Variable<Real>& x);
/// 1 / (1 + e^−x).
template <class Real>
Variable<Real> sigmoid(const Variable<Real>& x);
/// max(0, x); the gradient at 0 is 0.
template <class Real>
Variable<Real> relu(const Variable<Real>& x);
/// x · min(max(x + 3, 0), 6) / 6: h-swish (Howard and others 2019, section 5.2); the gradient at ±3 is that of the inside.
template <class Real>
Variable<Real> hard_swish(const Variable<Real>& x);
template <class Real>
Variable<Real> exp(const Variable<Real>& x);
/// Natural logarithm.
template <class Real>
Variable<Real> log(const Variable<Real>& x);
template <class Real>
Variable<Real> sqrt(const Variable<Real>& x);

/// In training each element is 0 with probability `rate`, else divided by 1 − rate (Srivastava and others 2014, in the form that
/// leaves evaluation as it is); in evaluation, x. Which elements is drawn from the tape's random numbers.
template <class Real>
Variable<Real> dropout(const Variable<Real>& x, double rate);

#define ATTENTION_DECLARE(Real)                                     \
  extern template Variable<Real> tanh(const Variable<Real>&);       \
  extern template Variable<Real> sigmoid(const Variable<Real>&);    \
  extern template Variable<Real> relu(const Variable<Real>&);       \
  extern template Variable<Real> hard_swish(const Variable<Real>&); \
  extern template Variable<Real> exp(const Variable<Real>&);        \
  extern template Variable<Real> log(const Variable<Real>&);        \
  extern template Variable<Real> sqrt(const Variable<Real>&);       \
  extern template Variable<Real> dropout(const Variable<Real>&, double);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
