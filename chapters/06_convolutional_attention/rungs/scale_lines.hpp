#pragma once

#include "rungs/places.hpp"

/// A map times one factor for each row and one for each column.
namespace attention::convolutional {

/// A walk over a map as one long run of places, a vector at a time, from which a vector of its rows' and one of its
/// columns' numbers are to be had. A row is seldom a whole number of vectors, a map mostly is, and a streaming store
/// wants whole ones. A vector sees the end of a row and the beginning of the next at most, if a row is as long as a
/// vector: the columns' numbers are read from a copy that goes on with the first ones, and the lanes beyond the row's
/// end get the next row's number.
class LineWalk {
 public:
  LineWalk(Index height, Index width) : height_(height), width_(width) {
    for (int i = 0; i < simd::lanes; ++i) lane_[i] = i;
  }
  /// The columns' numbers as of_columns wants them: width + lanes of them.
  static void lay_out(const float* columns, Index width, float* to) {
    std::copy_n(columns, width, to);
    std::copy_n(columns, simd::lanes, to + width);
  }
  [[gnu::always_inline]] simd::Float of_rows(const float* rows) const {
    const simd::Int left = simd::Int{} + static_cast<std::int32_t>(width_ - j_);
    return lane_ < left ? simd::broadcast(rows[i_]) : simd::broadcast(rows[std::min(i_ + 1, height_ - 1)]);
  }
  [[gnu::always_inline]] simd::Float of_columns(const float* laid_out) const { return simd::load(laid_out + j_); }
  [[gnu::always_inline]] void advance(Index count) {
    j_ += count;
    if (j_ >= width_) {
      j_ -= width_;
      ++i_;
    }
  }

 private:
  Index height_, width_;
  Index i_ = 0;
  Index j_ = 0;
  simd::Int lane_;
};

/// to_i = value(i, count) for n places in their order; `value` as stream_places has it. With `past_caches` the output
/// goes to memory directly, and meanwhile(i) is called as there.
template <bool past_caches, class Value, class Meanwhile = Idle>
[[gnu::always_inline]] inline void walk_places(Index n, float* to, Value value, Meanwhile meanwhile = {}) {
  if constexpr (past_caches) {
    stream_places(n, to, value, meanwhile);
    return;
  }
  for (Index at = 0; at < n; at += simd::lanes) {
    const Index count = std::min<Index>(simd::lanes, n - at);
    store_up_to(to + at, value(at, count), count);
  }
}

/// Floats of scratch memory that scale_lines takes.
inline Index scale_lines_scratch(Index height, Index width) {
  return width >= simd::lanes ? width + simd::lanes : height * width + simd::lanes;
}

/// to_ij = row_i · column_j · x_ij. With `past_caches` the output goes to memory directly. Where a row is shorter than
/// a vector, the factors are laid out place by place, and `meanwhile` (see walk_places) is not called.
template <bool past_caches, class Meanwhile = Idle>
inline void scale_lines(const float* x, Index height, Index width, const float* row, const float* column,
                        float* scratch, float* to, Meanwhile meanwhile = {}) {
  if (width < simd::lanes) {
    // The last lanes of a row are overwritten by the next row.
    const simd::Float columns = load_some(column, width);
    for (Index i = 0; i < height; ++i) simd::store(scratch + i * width, simd::broadcast(row[i]) * columns);
    return scale_places<past_caches>(x, height * width, 1, scratch, to);
  }
  LineWalk::lay_out(column, width, scratch);
  LineWalk walk(height, width);
  const auto scaled = [&](Index at, Index count) __attribute__((always_inline)) {
    const simd::Float value = walk.of_rows(row) * walk.of_columns(scratch) * load_up_to(x + at, count);
    walk.advance(count);
    return value;
  };
  walk_places<past_caches>(height * width, to, scaled, meanwhile);
}

}  // namespace attention::convolutional
