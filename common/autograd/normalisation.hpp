#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Layer normalisation over the last axis (Ba, Kiros, Hinton 2016, equation 4): scale · (x − mean) / sqrt(variance + epsilon) + shift, with
/// scale and shift of the length of that axis.
template <class Real>
Variable<Real> layer_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, double epsilon = 1e-5);

extern template Variable<float> layer_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, double);
extern template Variable<double> layer_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, double);

}  // namespace attention::autograd
