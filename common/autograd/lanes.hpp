#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "simd/exp2.hpp"
#include "simd/tanh.hpp"
#include "simd/vector.hpp"
#include "tensor/tensor.hpp"

namespace attention::autograd {

using tensor::Index;

/// What an elementwise kernel takes at once: a vector of floats, or one double. So a kernel is written once, fast in the type that
/// trains and exact in the type that checks.
template <class Real>
struct Lanes;

template <>
struct Lanes<float> {
  using Type = simd::Float;
  static constexpr Index count = simd::lanes;
};
template <>
struct Lanes<double> {
  using Type = double;
  static constexpr Index count = 1;
};

template <class Real>
using LanesOf = typename Lanes<Real>::Type;

/// The same number in every lane.
template <class Real>
LanesOf<Real> all_lanes(Real x) {
  return x - LanesOf<Real>{};
}

inline simd::Float tanh_of(simd::Float x) { return simd::tanh(x); }
inline double tanh_of(double x) { return std::tanh(x); }

/// 1 / (1 + e^−x) = (1 + tanh(x/2)) / 2: it cannot overflow.
template <class Lane>
Lane sigmoid_of(Lane x) {
  const Lane half = Lane{} + 0.5F;
  return half + half * tanh_of(half * x);
}

/// e^x for x <= 0, as a softmax asks for it.
inline simd::Float exp_of(simd::Float x) { return simd::exp(x); }
inline double exp_of(double x) { return std::exp(x); }

/// Reads the first `count` lanes, zeros in the others.
template <class Real>
LanesOf<Real> load_lanes(const Real* from, Index count = Lanes<Real>::count) {
  LanesOf<Real> value{};
  std::memcpy(&value, from, static_cast<std::size_t>(count) * sizeof(Real));
  return value;
}

template <class Real>
void store_lanes(Real* to, LanesOf<Real> value, Index count = Lanes<Real>::count) {
  std::memcpy(to, &value, static_cast<std::size_t>(count) * sizeof(Real));
}

/// step(at, count) for 0, lanes, 2 · lanes …: `count` lanes are to be worked on from `at`, all but in the last step.
template <class Real, class Step>
void for_lanes(Index n, Step step) {
  constexpr Index lanes = Lanes<Real>::count;
  Index at = 0;
  for (; at + lanes <= n; at += lanes) step(at, std::integral_constant<Index, lanes>{});
  if (at < n) step(at, n - at);
}

}  // namespace attention::autograd
