#pragma once

#include "autograd/tape.hpp"

namespace attention::autograd {

/// The convolution of pictures whose channels stand last (LeCun et al. 1989; Dumoulin and Visin 2016, section 2), stride 1, with a
/// border of zeros that keeps the size:
///
///     y[b, y, x, o] = Σ_u Σ_v Σ_c x[b, y + u·dilation − r, x + v·dilation − s, c] · weights[u, v, c, o]
///
/// `x` is [batch, height, width, in], `weights` [kernel_height, kernel_width, in, out] with odd sides, r and s half of them times the
/// dilation, rounded down. The result is [batch, height, width, out].
/// Throws std::invalid_argument, naming both shapes, where they do not fit.
template <class Real>
Variable<Real> convolution(const Variable<Real>& x, const Variable<Real>& weights, Index dilation = 1);

/// The largest of each square of `side` × `side` pixels, squares side by side, channels last: [batch, height, width, channels] to [batch,
/// height / side, width / side, channels]; pixels at the end that fill no square are left out. The gradient goes to the first of the largest.
/// Throws std::invalid_argument where no square fits.
template <class Real>
Variable<Real> max_pool(const Variable<Real>& x, Index side);

extern template Variable<float> convolution(const Variable<float>&, const Variable<float>&, Index);
extern template Variable<double> convolution(const Variable<double>&, const Variable<double>&, Index);
extern template Variable<float> max_pool(const Variable<float>&, Index);
extern template Variable<double> max_pool(const Variable<double>&, Index);

}  // namespace attention::autograd
