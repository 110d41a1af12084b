#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Whether the right factor of a product is taken as it stands or with its last two axes exchanged.
enum class Right { plain, transposed };

/// The matrix product over the last two axes of `a`, [… , m, k].
///   b [k, n]       (transposed: [n, k]): one matrix for all: [… , m, n]
///   b [… , k, n]   (transposed: [… , n, k]), as many axes before as a has, of the same lengths: one for each: [… , m, n]
/// Throws std::invalid_argument, naming both shapes, where they do not fit.
template <class Real>
Variable<Real> matmul(const Variable<Real>& a, const Variable<Real>& b, Right right = Right::plain);

extern template Variable<float> matmul(const Variable<float>&, const Variable<float>&, Right);
extern template Variable<double> matmul(const Variable<double>&, const Variable<double>&, Right);

}  // namespace attention::autograd
