#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "additive.hpp"
#include "simd/micro_kernel.hpp"
#include "simd/transpose.hpp"

namespace attention::additive {

/// n rounded up to a multiple of `unit`.
inline Index round_up(Index n, Index unit) { return (n + unit - 1) / unit * unit; }

/// Keys that lie side by side in a panel: one hidden unit of so many keys is the vectors of a tile.
inline constexpr Index panel_keys = simd::panel_columns;

/// Hidden units that share one division in rung 7.
inline constexpr Index shared_units = 4;

/// Terms after which a projection's sum, and an output's, starts anew.
inline constexpr Index sum_block = 32;

/// Matrix rows become panels of the micro-kernel's width, each transposed: to[panel][column][panel_columns]. The last panel is
/// filled with zeros.
inline void pack_rows(const float* matrix, Index rows, Index columns, float* to) {
  for (Index r = 0; r < rows; r += simd::panel_columns) {
    const Index height = std::min<Index>(simd::panel_columns, rows - r);
    float* panel = to + r * columns;
    if (height < simd::panel_columns) std::fill(panel, panel + columns * simd::panel_columns, 0.F);
    simd::transpose(matrix + r * columns, columns, height, columns, panel, simd::panel_columns);
  }
}

/// The largest |x|; infinite where one is NaN.
inline float largest_magnitude(const float* x, Index n) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  float largest = 0;
  for (Index i = 0; i < n; ++i) {
    const float magnitude = std::abs(x[i]);
    largest = std::max(largest, magnitude <= infinity ? magnitude : infinity);
  }
  return largest;
}

/// Both projections times a factor, with vectors: those of the keys all at once, those of the queries a strip at a time.
/// hidden is rounded up to a multiple of `unit`; the units that do not exist project to 0.
class Projections {
 public:
  Projections(const Problem& p, float factor, Index unit = shared_units)
      : p_(p),
        factor_(factor),
        hidden_(round_up(p.hidden(), unit)),
        packed_W_(size(round_up(p.hidden(), simd::panel_columns) * p.query_dim())),
        keys_(size(panels() * panel_size())),
        key_range_(size(panels())) {
    pack_rows(p.W.data(), p.hidden(), p.query_dim(), packed_W_.data());
#pragma omp parallel
    {
      tensor::Buffer packed(size(panel_keys * p.key_dim()));
#pragma omp for schedule(static)
      for (Index j = 0; j < panels(); ++j) project_keys(j, packed.data());
    }
  }

  /// U k of panel_keys keys, transposed: [hidden()][panel_keys]; keys that do not exist are 0.
  const float* panel(Index j) const { return keys_.data() + j * panel_size(); }
  /// The largest magnitude in that panel.
  float panel_range(Index j) const { return key_range_[size(j)]; }
  Index panels() const { return round_up(p_.keys(), panel_keys) / panel_keys; }
  Index hidden() const { return hidden_; }
  /// Floats between two rows of project_queries.
  Index query_stride() const { return round_up(p_.hidden(), simd::panel_columns); }

  /// W q of the queries first … first + rows: [rows][query_stride()], at most simd::tile_rows of them.
  void project_queries(Index first, Index rows, float* to) const {
    for (Index h = 0; h < query_stride(); h += simd::panel_columns)
      simd::multiply_strip_pairwise(rows, p_.query_dim(), sum_block, p_.query.data() + first * p_.query_dim(), p_.query_dim(),
                                    packed_W_.data() + h * p_.query_dim(), simd::panel_columns, to + h, query_stride());
    for (Index i = 0; i < rows; ++i) {
      for (Index h = 0; h < p_.hidden(); ++h) to[i * query_stride() + h] *= factor_;
      std::fill(to + i * query_stride() + p_.hidden(), to + (i + 1) * query_stride(), 0.F);
    }
  }

  static std::size_t floats(const Problem& p, Index unit = shared_units) {
    return size(round_up(p.hidden(), simd::panel_columns) * p.query_dim() +
                round_up(p.keys(), panel_keys) * (round_up(p.hidden(), unit) + 1));
  }

 private:
  Index panel_size() const { return hidden() * panel_keys; }

  void project_keys(Index j, float* packed) {
    const Index first = j * panel_keys;
    const Index count = std::min(panel_keys, p_.keys() - first);
    pack_rows(p_.key.data() + first * p_.key_dim(), count, p_.key_dim(), packed);
    float* to = keys_.data() + j * panel_size();
    for (Index h = 0; h < p_.hidden(); h += simd::tile_rows)
      simd::multiply_strip_pairwise(std::min<Index>(simd::tile_rows, p_.hidden() - h), p_.key_dim(), sum_block,
                                    p_.U.data() + h * p_.key_dim(), p_.key_dim(), packed, panel_keys, to + h * panel_keys,
                                    panel_keys);
    for (Index h = 0; h < p_.hidden(); ++h)
      for (Index x = 0; x < panel_keys; ++x) {
        // U may hold an infinity, and 0 times that is NaN.
        float& projected = to[h * panel_keys + x];
        projected = x < count ? projected * factor_ : 0;
      }
    std::fill(to + p_.hidden() * panel_keys, to + panel_size(), 0.F);
    key_range_[size(j)] = largest_magnitude(to, p_.hidden() * panel_keys);
  }

  const Problem& p_;
  float factor_;
  Index hidden_;
  tensor::Buffer packed_W_;
  tensor::Buffer keys_;
  tensor::Buffer key_range_;
};

/// v times a factor, filled with zeros to a multiple of `unit`.
inline tensor::Buffer scaled_v(const Problem& p, double factor, Index unit = shared_units) {
  tensor::Buffer v(static_cast<std::size_t>(round_up(p.hidden(), unit)));
  for (Index h = 0; h < p.hidden(); ++h)
    v[static_cast<std::size_t>(h)] = static_cast<float>(factor * static_cast<double>(p.v.data()[h]));
  return v;
}

/// V with its rows padded with zeros to a multiple of the panel's width; where they are one already, V itself.
class PaddedValues {
 public:
  explicit PaddedValues(const Problem& p) : data_(p.value.data()), stride_(round_up(p.value_dim(), simd::panel_columns)) {
    if (stride_ == p.value_dim()) return;
    padded_.resize(floats(p));
    for (Index j = 0; j < p.keys(); ++j)
      std::copy_n(p.value.data() + j * p.value_dim(), p.value_dim(), padded_.data() + j * stride_);
    data_ = padded_.data();
  }
  const float* data() const { return data_; }
  Index stride() const { return stride_; }

  static std::size_t floats(const Problem& p) {
    const Index stride = round_up(p.value_dim(), simd::panel_columns);
    return static_cast<std::size_t>(stride == p.value_dim() ? 0 : p.keys() * stride);
  }

 private:
  const float* data_;
  Index stride_;
  tensor::Buffer padded_;
};

}  // namespace attention::additive
