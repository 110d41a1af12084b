#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tape.hpp"

namespace attention::autograd {

/// What may be seen: 1, or 0 for what is masked. Broadcast to the scores from the right, as in NumPy.
using Mask = ArrayOf<std::uint8_t>;

/// 1 where a place is below its sequence's length: [sequences, longest].
Mask mask_of_lengths(const std::vector<Index>& lengths, Index longest);

/// Softmax over the last axis, the largest score subtracted first. What is masked has weight 0 and no effect, whatever it holds; a
/// row that is masked as a whole is 0.
template <class Real>
Variable<Real> softmax(const Variable<Real>& scores);
template <class Real>
Variable<Real> softmax(const Variable<Real>& scores, const Mask& mask);

/// The logarithm of softmax over the last axis.
template <class Real>
Variable<Real> log_softmax(const Variable<Real>& scores);

/// A target that does not count.
inline constexpr Index ignored = -1;

/// Σ over the rows of scores [… , classes] of −log softmax(row)[target], divided by `divisor`: the number of targets of the whole batch, of
/// which a tape may hold a part. Rows whose target is `ignored` are left out, whatever they hold.
/// With `smoothing` s the target is (1 − s) of the class and s / classes of every one (Szegedy and others 2016, section 7).
/// Throws std::invalid_argument where targets and rows are not as many, std::out_of_range on a class that is not there.
template <class Real>
Variable<Real> cross_entropy(const Variable<Real>& scores, const std::vector<Index>& targets, double divisor, double smoothing = 0);

#define ATTENTION_DECLARE(Real)                                             \
  extern template Variable<Real> softmax(const Variable<Real>&);            \
  extern template Variable<Real> softmax(const Variable<Real>&, const Mask&); \
  extern template Variable<Real> log_softmax(const Variable<Real>&);        \
  extern template Variable<Real> cross_entropy(const Variable<Real>&, const std::vector<Index>&, double, double);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
