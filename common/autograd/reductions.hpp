#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Sum, mean, largest along one axis (negative: from the last), which goes away. The gradient of the largest goes to the first
/// of those that are equally large.
template <class Real>
Variable<Real> sum(const Variable<Real>& x, Index axis);
template <class Real>
Variable<Real> mean(const Variable<Real>& x, Index axis);
template <class Real>
Variable<Real> largest(const Variable<Real>& x, Index axis);

/// Of all elements: a value of no axes.
template <class Real>
Variable<Real> sum(const Variable<Real>& x);
template <class Real>
Variable<Real> mean(const Variable<Real>& x);

#define ATTENTION_DECLARE(Real)                                        \
  extern template Variable<Real> sum(const Variable<Real>&, Index);     \
  extern template Variable<Real> mean(const Variable<Real>&, Index);    \
  extern template Variable<Real> largest(const Variable<Real>&, Index); \
  extern template Variable<Real> sum(const Variable<Real>&);            \
  extern template Variable<Real> mean(const Variable<Real>&);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
