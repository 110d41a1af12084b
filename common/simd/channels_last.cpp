#include "simd/channels_last.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "simd/micro_kernel.hpp"

namespace attention::simd {

namespace {

using Index = std::ptrdiff_t;

/// Runs of memory that a window covers: one a row of the kernel, or one a tap where dilation parts them.
struct Runs {
  Index count, length;
  const ConvolutionSizes& s;

  explicit Runs(const ConvolutionSizes& sizes)
      : count(sizes.dilation == 1 ? sizes.kernel_height : sizes.kernel_height * sizes.kernel_width),
        length(sizes.dilation == 1 ? sizes.kernel_width * sizes.in : sizes.in),
        s(sizes) {}

  /// Floats from the window's first pixel to the run's.
  Index offset(Index run) const {
    const Index row = s.dilation == 1 ? run : run / s.kernel_width;
    const Index column = s.dilation == 1 ? 0 : run % s.kernel_width;
    return (row * s.padded_width() + column) * s.dilation * s.in;
  }
};

/// Vectors of output channels that are worked on together, beginning with vector `first`.
int panel_vectors(const ConvolutionSizes& s, Index first) {
  const Index all = (s.out + lanes - 1) / lanes;
  return static_cast<int>(std::min<Index>(tile_vectors, all - first));
}

/// Pixels of a tile: each needs an address of its own, of which there are sixteen registers.
constexpr int pixels_of(int vectors) { return vectors == 4 || lanes < 16 ? tile_rows : 8; }
/// Weights of a tile of the gradient, in multiples of a vector of output channels. Their addresses follow one another.
constexpr int weights_of(int vectors) { return std::min(12, tile_rows * tile_vectors / vectors); }

/// The first `count` lanes.
void store_first(float* to, Float value, Index count) { std::memcpy(to, &value, static_cast<std::size_t>(count) * sizeof(float)); }

/// Rows pixels, each with its window's first float, times Vectors vectors of output channels, whose sums begin with `start`.
template <int Rows, int Vectors>
[[gnu::flatten]] void convolve_tile(const Runs& runs, const float* const* windows, const float* packed, const float* start, float* output, Index stride,
                                    Index columns) {
  Float sum[Rows][Vectors];
  unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
    unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] = load(start + j * lanes); });
  });
  for (Index run = 0; run < runs.count; ++run) {
    const float* pixel[Rows];
    unrolled<Rows>([&](auto i) __attribute__((always_inline)) { pixel[i] = windows[i] + runs.offset(run); });
    for (Index k = 0; k < runs.length; ++k, packed += Vectors * lanes) {
      Float w[Vectors];
      unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { w[j] = load(packed + j * lanes); });
      unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
        const Float x = broadcast(pixel[i][k]);
        unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] += x * w[j]; });
      });
    }
  }
  unrolled<Rows>([&](auto i) {
    unrolled<Vectors>([&](auto j) { store_first(output + i * stride + j * lanes, sum[i][j], std::min<Index>(lanes, columns - j * lanes)); });
  });
}

/// Rows neighbouring floats of the window times Vectors vectors of output channels, summed over all pixels.
template <int Rows, int Vectors>
[[gnu::flatten]] void gradient_tile(const ConvolutionSizes& s, const float* padded, const float* gradient, Index gradient_stride, float* into, Index columns) {
  Float sum[Rows][Vectors] = {};
  for (Index y = 0; y < s.height; ++y) {
    const float* pixel = padded + y * s.padded_width() * s.in;
    const float* g = gradient + y * s.width * gradient_stride;
    for (Index x = 0; x < s.width; ++x, pixel += s.in, g += gradient_stride) {
      Float g_j[Vectors];
      unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { g_j[j] = load(g + j * lanes); });
      unrolled<Rows>([&](auto i) __attribute__((always_inline)) {
        const Float x_i = broadcast(pixel[i]);
        unrolled<Vectors>([&](auto j) __attribute__((always_inline)) { sum[i][j] += x_i * g_j[j]; });
      });
    }
  }
  unrolled<Rows>([&](auto i) {
    unrolled<Vectors>([&](auto j) {
      const Index count = std::min<Index>(lanes, columns - j * lanes);
      alignas(64) float found[lanes];
      store(found, sum[i][j]);
      for (Index n = 0; n < count; ++n) into[i * s.out + j * lanes + n] += found[n];
    });
  });
}

using ConvolveTile = void (*)(const Runs&, const float* const*, const float*, const float*, float*, Index, Index);
using GradientTile = void (*)(const ConvolutionSizes&, const float*, const float*, Index, float*, Index);

/// The tiles for 1 … most rows.
template <int Vectors, int... I>
constexpr auto convolve_tiles(std::integer_sequence<int, I...>) {
  return std::array<ConvolveTile, 12>{&convolve_tile<I + 1, Vectors>...};
}
template <int Vectors, int... I>
constexpr auto gradient_tiles(std::integer_sequence<int, I...>) {
  return std::array<GradientTile, 12>{&gradient_tile<I + 1, Vectors>...};
}
template <int... V>
constexpr auto all_convolve_tiles(std::integer_sequence<int, V...>) {
  return std::array{convolve_tiles<V + 1>(std::make_integer_sequence<int, pixels_of(V + 1)>{})...};
}
template <int... V>
constexpr auto all_gradient_tiles(std::integer_sequence<int, V...>) {
  return std::array{gradient_tiles<V + 1>(std::make_integer_sequence<int, weights_of(V + 1)>{})...};
}

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

Index ConvolutionSizes::packed_size() const { return depth() * ((out + lanes - 1) / lanes) * lanes; }

ConvolutionSizes ConvolutionSizes::backwards() const {
  ConvolutionSizes turned = *this;
  std::swap(turned.in, turned.out);
  return turned;
}

void pad(const ConvolutionSizes& s, const float* picture, float* padded) {
  const Index row = s.width * s.in, side = s.border_width() * s.in;
  const Index above = s.border_height() * s.padded_width() * s.in;
  std::fill_n(padded, above, 0.F);
  padded += above;
  for (Index y = 0; y < s.height; ++y, picture += row) {
    std::fill_n(padded, side, 0.F);
    std::copy_n(picture, row, padded + side);
    std::fill_n(padded + side + row, side, 0.F);
    padded += row + 2 * side;
  }
  std::fill_n(padded, above, 0.F);
}

void pack_weights(const ConvolutionSizes& s, const float* weights, float* packed) {
  const Index vectors = (s.out + lanes - 1) / lanes;
  for (Index first = 0; first < vectors; first += tile_vectors) {
    const Index width = panel_vectors(s, first) * lanes;
    const Index columns = std::min(width, s.out - first * lanes);
    for (Index k = 0; k < s.depth(); ++k, packed += width) {
      std::copy_n(weights + k * s.out + first * lanes, columns, packed);
      std::fill_n(packed + columns, width - columns, 0.F);
    }
  }
}

void turn_weights(const ConvolutionSizes& s, const float* weights, float* turned) {
  const Index taps = s.kernel_height * s.kernel_width;
  for (Index tap = 0; tap < taps; ++tap) {
    const float* from = weights + tap * s.in * s.out;
    float* to = turned + (taps - 1 - tap) * s.in * s.out;
    for (Index c = 0; c < s.in; ++c)
      for (Index o = 0; o < s.out; ++o) to[o * s.in + c] = from[c * s.out + o];
  }
}

void convolve(const ConvolutionSizes& s, const float* padded, const float* packed, float* output, const float* bias) {
  static constexpr auto tiles = all_convolve_tiles(std::make_integer_sequence<int, tile_vectors>{});
  const Runs runs(s);
  const Index vectors = (s.out + lanes - 1) / lanes;
  for (Index first = 0; first < vectors; first += tile_vectors) {
    const int wide = panel_vectors(s, first);
    const int most = pixels_of(wide);
    float start[tile_vectors * lanes] = {};
    if (bias) std::copy_n(bias + first * lanes, std::min<Index>(wide * lanes, s.out - first * lanes), start);
    for (Index p = 0; p < s.pixels(); p += most) {
      const Index rows = std::min<Index>(most, s.pixels() - p);
      const float* windows[12];
      for (Index i = 0; i < rows; ++i) windows[i] = padded + ((p + i) / s.width * s.padded_width() + (p + i) % s.width) * s.in;
      tiles[at(wide - 1)][at(rows - 1)](runs, windows, packed, start, output + p * s.out + first * lanes, s.out, s.out - first * lanes);
    }
    packed += s.depth() * wide * lanes;
  }
}

void add_weight_gradient(const ConvolutionSizes& s, const float* padded, const float* gradient, float* into) {
  static constexpr auto tiles = all_gradient_tiles(std::make_integer_sequence<int, tile_vectors>{});
  const Runs runs(s);
  const Index vectors = (s.out + lanes - 1) / lanes, stride = vectors * lanes;
  std::vector<float> widened;
  if (stride != s.out) {
    // Whole vectors are read: the last one of a pixel must not reach into the next pixel, nor beyond the end.
    widened.assign(at(s.pixels() * stride), 0.F);
    for (Index p = 0; p < s.pixels(); ++p) std::copy_n(gradient + p * s.out, s.out, widened.data() + p * stride);
    gradient = widened.data();
  }
  for (Index first = 0; first < vectors; first += tile_vectors) {
    const int wide = panel_vectors(s, first);
    const int most = weights_of(wide);
    for (Index run = 0; run < runs.count; ++run)
      for (Index k = 0; k < runs.length; k += most) {
        const Index rows = std::min<Index>(most, runs.length - k);
        tiles[at(wide - 1)][at(rows - 1)](s, padded + runs.offset(run) + k, gradient + first * lanes, stride,
                                          into + (run * runs.length + k) * s.out + first * lanes, s.out - first * lanes);
      }
  }
}

}  // namespace attention::simd
