#include "autograd/softmax.hpp"

#include <cmath>
#include <limits>

#include "autograd/arithmetic.hpp"
#include "autograd/axis.hpp"
#include "autograd/broadcast.hpp"
#include "autograd/lanes.hpp"

namespace attention::autograd {

namespace {

/// Rows along the last axis.
template <class Real>
Axis rows_of(const Variable<Real>& x) {
  return Axis(x.shape(), -1);
}

template <class Real>
Real largest_of(const Real* row, Index n) {
  Real largest = -std::numeric_limits<Real>::infinity();
  for (Index i = 0; i < n; ++i) largest = row[i] > largest ? row[i] : largest;
  return largest;
}

/// to_i = e^(row_i − largest); gives their sum, in float64.
template <class Real>
double exponentials(const Real* row, Index n, Real largest, Real* to) {
  for_lanes<Real>(n, [=](Index at, auto count) {
    store_lanes<Real>(to + at, exp_of(load_lanes(row + at, count) - all_lanes<Real>(largest)), count);
  });
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += static_cast<double>(to[i]);
  return sum;
}

/// `seen` is null where everything is, else one mark for each score.
template <class Real>
void softmax_row(const Real* row, const std::uint8_t* seen, Index n, Real* to) {
  std::vector<Real> visible;
  if (seen) {
    visible.assign(row, row + n);
    bool any = false;
    for (Index i = 0; i < n; ++i) {
      any = any || seen[i] != 0;
      if (seen[i] == 0) visible[static_cast<std::size_t>(i)] = -std::numeric_limits<Real>::infinity();
    }
    if (!any) {
      std::fill_n(to, n, Real{0});
      return;
    }
    row = visible.data();
  }
  const auto factor = static_cast<Real>(1 / exponentials(row, n, largest_of(row, n), to));
  for (Index i = 0; i < n; ++i) to[i] *= factor;
}

template <class Real>
Variable<Real> masked_softmax(const Variable<Real>& scores, const std::vector<std::uint8_t>& seen) {
  const Axis axis = rows_of(scores);
  ArrayOf<Real> result = tensor::empty_array<Real>(scores.shape());
  for (Index row = 0; row < axis.before; ++row)
    softmax_row(scores.data() + row * axis.length, seen.empty() ? nullptr : seen.data() + row * axis.length, axis.length,
                result.data() + row * axis.length);
  return scores.tape().record(std::move(result), {scores}, [scores, axis](const ArrayOf<Real>& weights, ArrayOf<Real>& gradient) {
    Real* into = scores.gradient();
    for (Index row = 0; row < axis.before; ++row) {
      const Real* w = weights.data() + row * axis.length;
      const Real* g = gradient.data() + row * axis.length;
      double product = 0;
      for (Index i = 0; i < axis.length; ++i) product += static_cast<double>(w[i]) * static_cast<double>(g[i]);
      const auto common = static_cast<Real>(product);
      for (Index i = 0; i < axis.length; ++i) into[row * axis.length + i] += w[i] * (g[i] - common);
    }
  });
}

}  // namespace

Mask mask_of_lengths(const std::vector<Index>& lengths, Index longest) {
  Mask mask = tensor::empty_array<std::uint8_t>({lengths.size(), static_cast<std::size_t>(longest)});
  for (std::size_t b = 0; b < lengths.size(); ++b)
    for (Index i = 0; i < longest; ++i) mask.data()[static_cast<Index>(b) * longest + i] = i < lengths[b] ? 1 : 0;
  return mask;
}

template <class Real>
Variable<Real> softmax(const Variable<Real>& scores) {
  return masked_softmax(scores, {});
}

template <class Real>
Variable<Real> softmax(const Variable<Real>& scores, const Mask& mask) {
  const Broadcast broadcast(scores.shape(), tensor::shape_of(mask));
  if (broadcast.shape() != scores.shape())
    throw std::invalid_argument(fmt::format("a mask of {} is not for scores of {}", as_text(tensor::shape_of(mask)), as_text(scores.shape())));
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(scores.size()));
  broadcast.for_runs([&](Index to, Index, Index from, Index n, Index, Index step) {
    for (Index i = 0; i < n; ++i) seen[static_cast<std::size_t>(to + i)] = mask.data()[from + i * step];
  });
  return masked_softmax(scores, seen);
}

template <class Real>
Variable<Real> log_softmax(const Variable<Real>& scores) {
  const Axis axis = rows_of(scores);
  ArrayOf<Real> result = tensor::empty_array<Real>(scores.shape());
  for (Index row = 0; row < axis.before; ++row) {
    const Real* from = scores.data() + row * axis.length;
    Real* to = result.data() + row * axis.length;
    const Real largest = largest_of(from, axis.length);
    const auto lse = largest + static_cast<Real>(std::log(exponentials(from, axis.length, largest, to)));
    for (Index i = 0; i < axis.length; ++i) to[i] = from[i] - lse;
  }
  return scores.tape().record(std::move(result), {scores}, [scores, axis](const ArrayOf<Real>& logs, ArrayOf<Real>& gradient) {
    Real* into = scores.gradient();
    for (Index row = 0; row < axis.before; ++row) {
      const Real* g = gradient.data() + row * axis.length;
      double sum = 0;
      for (Index i = 0; i < axis.length; ++i) sum += static_cast<double>(g[i]);
      for (Index i = 0; i < axis.length; ++i)
        into[row * axis.length + i] += g[i] - static_cast<Real>(sum) * std::exp(logs.data()[row * axis.length + i]);
    }
  });
}

template <class Real>
Variable<Real> cross_entropy(const Variable<Real>& scores, const std::vector<Index>& targets, double divisor, double smoothing) {
  const Axis axis = rows_of(scores);
  if (std::ssize(targets) != axis.before)
    throw std::invalid_argument(fmt::format("{} targets for scores of {}", targets.size(), as_text(scores.shape())));
  // The gradient is softmax(row) − target; it is made at once and scaled when it is asked for.
  ArrayOf<Real> slope = tensor::filled_array<Real>(scores.shape(), 0);
  const double even = smoothing / static_cast<double>(axis.length);
  double loss = 0;
  for (Index row = 0; row < axis.before; ++row) {
    const Index target = targets[static_cast<std::size_t>(row)];
    if (target == ignored) continue;
    if (target < 0 || target >= axis.length) throw std::out_of_range(fmt::format("class {} of {}", target, axis.length));
    const Real* from = scores.data() + row * axis.length;
    Real* to = slope.data() + row * axis.length;
    const Real largest = largest_of(from, axis.length);
    const double sum = exponentials(from, axis.length, largest, to);
    const double lse = static_cast<double>(largest) + std::log(sum);
    double mean = 0;
    if (smoothing > 0)
      for (Index i = 0; i < axis.length; ++i) mean += even * (lse - static_cast<double>(from[i]));
    loss += (1 - smoothing) * (lse - static_cast<double>(from[target])) + mean;
    for (Index i = 0; i < axis.length; ++i) to[i] = static_cast<Real>((static_cast<double>(to[i]) / sum - even) / divisor);
    to[target] -= static_cast<Real>((1 - smoothing) / divisor);
  }
  ArrayOf<Real> result = tensor::filled_array<Real>({}, static_cast<Real>(loss / divisor));
  return scores.tape().record(std::move(result), {scores}, [scores, slope = std::move(slope)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = scores.gradient();
    const Real factor = gradient.data()[0];
    for (Index i = 0; i < scores.size(); ++i) into[i] += factor * slope.data()[i];
  });
}

#define ATTENTION_DEFINE(Real)                                      \
  template Variable<Real> softmax(const Variable<Real>&);           \
  template Variable<Real> softmax(const Variable<Real>&, const Mask&); \
  template Variable<Real> log_softmax(const Variable<Real>&);       \
  template Variable<Real> cross_entropy(const Variable<Real>&, const std::vector<Index>&, double, double);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
