#include "autograd/normalisation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "autograd/arithmetic.hpp"
#include "autograd/axis.hpp"
#include "autograd/product.hpp"

namespace attention::autograd {

template <class Real>
Variable<Real> layer_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, double epsilon) {
  const Axis axis(x.shape(), -1);
  if (scale.size() != axis.length || shift.size() != axis.length)
    throw std::invalid_argument(fmt::format("a scale of {} and a shift of {} do not fit {}", as_text(scale.shape()), as_text(shift.shape()), as_text(x.shape())));
  ArrayOf<Real> normal = tensor::empty_array<Real>(x.shape());
  std::vector<Real> inverses(static_cast<std::size_t>(axis.before));
  ArrayOf<Real> result = tensor::empty_array<Real>(x.shape());
  for (Index row = 0; row < axis.before; ++row) {
    const Real* from = x.data() + row * axis.length;
    double mean = 0, variance = 0;
    for (Index i = 0; i < axis.length; ++i) mean += static_cast<double>(from[i]);
    mean /= static_cast<double>(axis.length);
    for (Index i = 0; i < axis.length; ++i) variance += (static_cast<double>(from[i]) - mean) * (static_cast<double>(from[i]) - mean);
    const double inverse = 1 / std::sqrt(variance / static_cast<double>(axis.length) + epsilon);
    inverses[static_cast<std::size_t>(row)] = static_cast<Real>(inverse);
    for (Index i = 0; i < axis.length; ++i) {
      const auto n = static_cast<Real>((static_cast<double>(from[i]) - mean) * inverse);
      normal.data()[row * axis.length + i] = n;
      result.data()[row * axis.length + i] = n * scale.data()[i] + shift.data()[i];
    }
  }
  return x.tape().record(std::move(result), {x, scale, shift},
                         [=, normal = std::move(normal), inverses = std::move(inverses)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
                           for (Index row = 0; row < axis.before; ++row) {
                             const Real* g = gradient.data() + row * axis.length;
                             const Real* n = normal.data() + row * axis.length;
                             if (shift.needs_gradient())
                               for (Index i = 0; i < axis.length; ++i) shift.gradient()[i] += g[i];
                             if (scale.needs_gradient())
                               for (Index i = 0; i < axis.length; ++i) scale.gradient()[i] += g[i] * n[i];
                             if (!x.needs_gradient()) continue;
                             // Mean and variance depend on x too: what they carry is taken off.
                             double sum = 0, along = 0;
                             for (Index i = 0; i < axis.length; ++i) {
                               const double d = static_cast<double>(g[i]) * static_cast<double>(scale.data()[i]);
                               sum += d;
                               along += d * static_cast<double>(n[i]);
                             }
                             const auto mean = static_cast<Real>(sum / static_cast<double>(axis.length));
                             const auto slope = static_cast<Real>(along / static_cast<double>(axis.length));
                             Real* into = x.gradient() + row * axis.length;
                             const Real inverse = inverses[static_cast<std::size_t>(row)];
                             for (Index i = 0; i < axis.length; ++i) into[i] += inverse * (g[i] * scale.data()[i] - mean - n[i] * slope);
                           }
                         });
}

namespace {

/// [batch, places, channels] and the groups of channels.
struct Groups {
  Index batch, places, channels, groups;
  Index in_group() const { return channels / groups; }
  double count() const { return static_cast<double>(places * in_group()); }

  /// f(place, channel) for all of them: along the channels nothing depends on its neighbour.
  template <class F>
  void each(F f) const {
    for (Index p = 0; p < places; ++p)
#pragma omp simd
      for (Index c = 0; c < channels; ++c) f(p, c);
  }

  /// sums[c] = Σ over the places of f(place, c).
  template <class Real, class F>
  void sum(std::vector<Real>& sums, F f) const {
    std::ranges::fill(sums, Real{0});
    Real* to = sums.data();
    each([=](Index p, Index c) { to[c] += f(p, c); });
  }

  /// Every channel's number becomes the sum over its group.
  template <class Real>
  void gather(std::vector<Real>& each) const {
    for (Index g = 0; g < groups; ++g) {
      const auto first = each.begin() + g * in_group(), last = first + in_group();
      const Real sum = std::accumulate(first, last, Real{0});
      std::fill(first, last, sum);
    }
  }
};

}  // namespace

template <class Real>
Variable<Real> group_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, Index groups, double epsilon) {
  const Index channels = x.extent(-1);
  if (x.rank() < 2 || groups < 1 || channels % groups != 0 || scale.size() != channels || shift.size() != channels)
    throw std::invalid_argument(fmt::format("{} in {} groups with a scale of {} and a shift of {}: they do not fit", as_text(x.shape()), groups,
                                            as_text(scale.shape()), as_text(shift.shape())));
  const Groups all{x.extent(0), x.size() / std::max<Index>(x.extent(0) * channels, 1), channels, groups};
  const auto width = static_cast<std::size_t>(channels);
  const Index one = all.places * channels;
  ArrayOf<Real> result = tensor::empty_array<Real>(x.shape());
  std::vector<Real> means(static_cast<std::size_t>(all.batch) * width), inverses(means.size());
  std::vector<Real> sums(width);
  for (Index b = 0; b < all.batch; ++b) {
    const Real* from = x.data() + b * one;
    Real* mean = means.data() + b * channels;
    Real* inverse = inverses.data() + b * channels;
    all.sum(sums, [=](Index p, Index c) { return from[p * channels + c]; });
    all.gather(sums);
    for (Index c = 0; c < channels; ++c) mean[c] = sums[static_cast<std::size_t>(c)] / static_cast<Real>(all.count());
    all.sum(sums, [=](Index p, Index c) { return (from[p * channels + c] - mean[c]) * (from[p * channels + c] - mean[c]); });
    all.gather(sums);
    for (Index c = 0; c < channels; ++c)
      inverse[c] = static_cast<Real>(1 / std::sqrt(static_cast<double>(sums[static_cast<std::size_t>(c)]) / all.count() + epsilon));
    Real* to = result.data() + b * one;
    const Real* s = scale.data();
    const Real* d = shift.data();
    all.each([=](Index p, Index c) { to[p * channels + c] = (from[p * channels + c] - mean[c]) * inverse[c] * s[c] + d[c]; });
  }
  return x.tape().record(std::move(result), {x, scale, shift},
                         [=, means = std::move(means), inverses = std::move(inverses)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
                           std::vector<Real> plain(width), along(width);
                           for (Index b = 0; b < all.batch; ++b) {
                             const Real* from = x.data() + b * one;
                             const Real* g = gradient.data() + b * one;
                             const Real* mean = means.data() + b * channels;
                             const Real* inverse = inverses.data() + b * channels;
                             all.sum(plain, [=](Index p, Index c) { return g[p * channels + c]; });
                             all.sum(along, [=](Index p, Index c) { return g[p * channels + c] * (from[p * channels + c] - mean[c]) * inverse[c]; });
                             if (shift.needs_gradient()) add(plain.data(), channels, shift.gradient());
                             if (scale.needs_gradient()) add(along.data(), channels, scale.gradient());
                             if (!x.needs_gradient()) continue;
                             // Mean and variance depend on x too: what they carry is taken off.
                             const Real* s = scale.data();
                             for (std::size_t c = 0; c < width; ++c) {
                               plain[c] *= s[c] / static_cast<Real>(all.count());
                               along[c] *= s[c] / static_cast<Real>(all.count());
                             }
                             all.gather(plain);
                             all.gather(along);
                             const Real* shared = plain.data();
                             const Real* slope = along.data();
                             Real* into = x.gradient() + b * one;
                             all.each([=](Index p, Index c) {
                               const Real normal = (from[p * channels + c] - mean[c]) * inverse[c];
                               into[p * channels + c] += inverse[c] * (g[p * channels + c] * s[c] - shared[c] - normal * slope[c]);
                             });
                           }
                         });
}

template Variable<float> layer_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, double);
template Variable<double> layer_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, double);
template Variable<float> group_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, Index, double);
template Variable<double> group_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, Index, double);

}  // namespace attention::autograd
