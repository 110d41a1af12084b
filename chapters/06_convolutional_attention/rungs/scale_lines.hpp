#pragma once

#include "rungs/places.hpp"

/// A map times one factor for each row and one for each column.
namespace attention::convolutional {

/// Floats of scratch memory that scale_lines takes.
inline Index scale_lines_scratch(Index height, Index width) {
  return width >= simd::lanes ? width + simd::lanes : height * width + simd::lanes;
}

/// to_ij = row_i · column_j · x_ij. With `past_caches` the output goes to memory directly.
///
/// A row is seldom a whole number of vectors, a map mostly is, and a streaming store wants whole ones. So the map is one long run. A
/// vector sees the end of a row and the beginning of the next at most: the columns' factors are read from a copy that goes on with
/// the first ones, and the lanes beyond the row's end get the next row's factor. Where a row is shorter than a vector, the factors are
/// laid out place by place.
template <bool past_caches>
inline void scale_lines(const float* x, Index height, Index width, const float* row, const float* column, float* scratch, float* to) {
  if (width < simd::lanes) {
    // The last lanes of a row are overwritten by the next row.
    const simd::Float columns = load_some(column, width);
    for (Index i = 0; i < height; ++i) simd::store(scratch + i * width, simd::broadcast(row[i]) * columns);
    return scale_places<past_caches>(x, height * width, 1, scratch, to);
  }
  std::copy_n(column, width, scratch);
  std::copy_n(column, simd::lanes, scratch + width);
  simd::Int lane;
  for (int i = 0; i < simd::lanes; ++i) lane[i] = i;
  Index i = 0;
  Index j = 0;
  const auto scaled = [&](Index at, Index count) __attribute__((always_inline)) {
    const simd::Int left = simd::Int{} + static_cast<std::int32_t>(width - j);
    const simd::Float rows = lane < left ? simd::broadcast(row[i]) : simd::broadcast(row[std::min(i + 1, height - 1)]);
    const simd::Float value = rows * simd::load(scratch + j) * load_up_to(x + at, count);
    j += count;
    if (j >= width) {
      j -= width;
      ++i;
    }
    return value;
  };
  if constexpr (past_caches) return stream_places(height * width, to, scaled);
  for (Index at = 0; at < height * width; at += simd::lanes) {
    const Index count = std::min<Index>(simd::lanes, height * width - at);
    store_up_to(to + at, scaled(at, count), count);
  }
}

}  // namespace attention::convolutional
