#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Layer normalisation over the last axis (Ba, Kiros, Hinton 2016, equation 4): scale · (x − mean) / sqrt(variance + epsilon) + shift, with
/// scale and shift of the length of that axis.
template <class Real>
Variable<Real> layer_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, double epsilon = 1e-5);

/// Group normalisation (Wu and He 2018, equations 1, 2 and 7) of [batch, … , channels]: the channels of one element of the batch are taken in
/// `groups` groups of neighbours, and each group has mean 0 and variance 1 over its channels and all places; then scale · … + shift, one of
/// each a channel. An element does not depend on what else is in the batch, so training and evaluation are the same.
/// Throws std::invalid_argument where the groups do not divide the channels, or scale or shift has another length.
template <class Real>
Variable<Real> group_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, Index groups, double epsilon = 1e-5);

extern template Variable<float> layer_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, double);
extern template Variable<double> layer_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, double);
extern template Variable<float> group_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, Index, double);
extern template Variable<double> group_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, Index, double);

}  // namespace attention::autograd
