#pragma once

#include "autograd/tape.hpp"

namespace attention::additive {

using autograd::Variable;

/// score(b, i, j) = v · tanh(q(b, i) + k(b, j)): queries [batch, queries, units] and keys [batch, keys, units], both already projected, and v
/// [units] to [batch, queries, keys]. Bahdanau, Cho, Bengio 2014, section A.1.2.
///
/// One operation of its own on the tape: from single ones the sums q + k and their tanh would be stored, units times as much as the
/// scores. Here a score is a pass over registers, and the backward pass computes its tanh once more.
/// Throws std::invalid_argument, naming the shapes, where they do not fit.
template <class Real>
Variable<Real> additive_scores(const Variable<Real>& queries, const Variable<Real>& keys, const Variable<Real>& v);

extern template Variable<float> additive_scores(const Variable<float>&, const Variable<float>&, const Variable<float>&);
extern template Variable<double> additive_scores(const Variable<double>&, const Variable<double>&, const Variable<double>&);

}  // namespace attention::additive
