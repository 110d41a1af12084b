#pragma once

#include <omp.h>

#include "rungs/convolution_padding.hpp"
#include "rungs/depthwise_rungs.hpp"
#include "rungs/places.hpp"

/// Rows of one plane at a time: what the depthwise convolution's rungs 5 and 6 are made of.
namespace attention::convolutional {

/// Floats of a band's rows, with the border and without, together: in the nearest cache.
inline constexpr Index depthwise_band_floats = 8192;

/// A part of a plane with its border, and where its outputs go.
struct DepthwiseBand {
  const float* padded;  ///< the first output's upper left pixel
  Index row;            ///< floats from one row of it to the next
  const float* weight;  ///< [kernel][kernel]
  float bias;
  Index rows, width;  ///< of the outputs
  float* to;          ///< [rows][width]
};

/// `Rows` rows of `Vectors` vectors of outputs at row y and column x; `count` lanes of the last vector are stored. Each
/// vector of pixels is loaded once for all rows that see it. Kernel is a constant, or 0: `kernel`, and one row.
template <int Kernel, int Rows, int Vectors>
[[gnu::always_inline]] inline void depthwise_tile(const DepthwiseBand& band, Index kernel, Index y, Index x,
                                                  Index count) {
  simd::Float sum[Rows][Vectors];
  simd::unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
    simd::unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] = simd::broadcast(band.bias); });
  });
  const float* from = band.padded + y * band.row + x;
  if constexpr (Kernel == 0) {
    static_assert(Rows == 1);
    for (Index u = 0; u < kernel; ++u)
      for (Index v = 0; v < kernel; ++v)
        simd::unrolled<Vectors>([&](auto j) __attribute__((always_inline)) {
          sum[0][j] +=
              simd::broadcast(band.weight[u * kernel + v]) * simd::load(from + u * band.row + v + j * simd::lanes);
        });
  } else {
    simd::unrolled<Rows + Kernel - 1>([&](auto seen) __attribute__((always_inline)) {  // rows of pixels
      simd::unrolled<Kernel>([&](auto v) __attribute__((always_inline)) {
        simd::Float pixels[Vectors];
        simd::unrolled<Vectors>([&](auto j) __attribute__((always_inline)) {
          pixels[j] = simd::load(from + seen * band.row + v + j * simd::lanes);
        });
        simd::unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
          constexpr int u = decltype(seen)::value - decltype(i)::value;
          if constexpr (u >= 0 && u < Kernel) {
            const simd::Float w = simd::broadcast(band.weight[u * Kernel + v]);
            simd::unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] += w * pixels[j]; });
          }
        });
      });
    });
  }
  simd::unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
    float* to = band.to + (y + i) * band.width + x;
    simd::unrolled<Vectors>([&](auto j) __attribute__((always_inline)) {
      store_up_to(to + j * simd::lanes, sum[i][j], j == Vectors - 1 ? count : simd::lanes);
    });
  });
}

/// Whole vectors, the last one laid over the one before it; where a row is shorter than a vector, a part of one.
template <int Kernel, int Rows>
void depthwise_rows(const DepthwiseBand& band, Index kernel, Index y) {
  Index x = 0;
  for (; x + 2 * simd::lanes <= band.width; x += 2 * simd::lanes)
    depthwise_tile<Kernel, Rows, 2>(band, kernel, y, x, simd::lanes);
  for (; x < band.width; x += simd::lanes) {
    if (x + simd::lanes > band.width && band.width >= simd::lanes) x = band.width - simd::lanes;
    depthwise_tile<Kernel, Rows, 1>(band, kernel, y, x, std::min<Index>(simd::lanes, band.width - x));
  }
}

template <int Kernel>
void convolve_depthwise_band(const DepthwiseBand& band, Index kernel) {
  Index y = 0;
  if constexpr (Kernel > 0)
    for (; y + 4 <= band.rows; y += 4) depthwise_rows<Kernel, 4>(band, kernel, y);
  for (; y < band.rows; ++y) depthwise_rows<Kernel, 1>(band, kernel, y);
}

inline void convolve_depthwise_band(const DepthwiseBand& band, Index kernel) {
  switch (kernel) {
    case 1:
      return convolve_depthwise_band<1>(band, kernel);
    case 3:
      return convolve_depthwise_band<3>(band, kernel);
    case 5:
      return convolve_depthwise_band<5>(band, kernel);
    case 7:
      return convolve_depthwise_band<7>(band, kernel);
    default:
      return convolve_depthwise_band<0>(band, kernel);
  }
}

/// How a plane is cut into bands of rows. No output needs another.
struct DepthwiseCut {
  Index row, rows, bands;

  explicit DepthwiseCut(const DepthwiseProblem& p) : row(p.width() + 2 * p.radius()) {
    const Index fitting = (depthwise_band_floats - 2 * p.radius() * row) / (row + p.width());
    rows = std::min(std::max<Index>(4, fitting / 4 * 4), p.height());
    bands = (p.height() + rows - 1) / rows;
  }

  /// The last tap of the last row reads a vector beyond its band.
  Index padded(const DepthwiseProblem& p) const { return (rows + 2 * p.radius()) * row + simd::lanes; }
  Index scratch(const DepthwiseProblem& p) const { return padded(p) + rows * p.width(); }
};

/// All planes, band by band. With `past_caches` a band's outputs are written to memory directly.
template <bool past_caches>
void depthwise_bands(const DepthwiseProblem& p, ConvolutionOutput& out) {
  prepare(p, out);
  const DepthwiseCut cut(p);
#pragma omp parallel
  {
    tensor::Buffer scratch(static_cast<std::size_t>(cut.scratch(p)));
    float* outputs = scratch.data() + cut.padded(p);
#pragma omp for collapse(2) schedule(static)
    for (Index plane = 0; plane < p.planes(); ++plane)
      for (Index i = 0; i < cut.bands; ++i) {
        const Index first = i * cut.rows, rows = std::min(cut.rows, p.height() - first);
        float* to = out.output.data() + plane * p.pixels() + first * p.width();
        pad_rows(p.plane(plane), p.height(), p.width(), p.radius(), first - p.radius(), first + rows + p.radius(),
                 scratch.data());
        convolve_depthwise_band({scratch.data(), cut.row, p.weight_of(plane), p.bias_of(plane), rows, p.width(),
                                 past_caches ? outputs : to},
                                p.kernel());
        if constexpr (past_caches)
          stream_places(
              rows * p.width(), to, [&](Index at, Index count) __attribute__((always_inline)) {
                return load_up_to(outputs + at, count);
              });
      }
    if constexpr (past_caches) finish_streaming();
  }
}

}  // namespace attention::convolutional
