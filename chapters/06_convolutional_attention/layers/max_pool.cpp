#include <algorithm>
#include <cmath>
#include <limits>

#include "layers/pooling.hpp"

namespace attention::convolutional {

namespace {

template <class Real>
constexpr Real least() {
  return std::numeric_limits<Real>::has_infinity ? -std::numeric_limits<Real>::infinity() : std::numeric_limits<Real>::lowest();
}

/// Whether x takes the place of the largest so far. NaN does, and keeps it.
template <class Real>
bool is_larger(Real x, Real largest) {
  return x > largest || (x != x && largest == largest);
}

/// Rows of one plane's output: tap by tap, whole rows at a time.
template <class Real>
void pool_row(const Window& w, const Real* plane, Index row, Real* to) {
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  std::fill_n(to, x.output, least<Real>());
  const Range over_z = z.taps(row / y.output);
  const Range over_y = y.taps(row % y.output);
  const Range over_x = x.met_taps();
  for (Index tz = over_z.from; tz < over_z.to; ++tz)
    for (Index ty = over_y.from; ty < over_y.to; ++ty) {
      const Real* from = plane + (z.at(row / y.output, tz) * y.input + y.at(row % y.output, ty)) * x.input;
      for (Index tx = over_x.from; tx < over_x.to; ++tx) {
        const Range range = x.outputs(tx);
        for (Index o = range.from; o < range.to; ++o) {
          const Real value = from[x.at(o, tx)];
          to[o] = is_larger(value, to[o]) ? value : to[o];
        }
      }
    }
}

/// The same with the places, window by window. `first`: the first place of the plane.
template <class Real>
void pool_row_with_places(const Window& w, const Real* plane, Index row, Real* to, PlaceOrder order, Index first, std::int64_t* places) {
  const Axis &z = w.axes[0], &y = w.axes[1], &x = w.axes[2];
  const Range over_z = z.taps(row / y.output);
  const Range over_y = y.taps(row % y.output);
  // A length of one along an axis that is not meant leaves both orders as they are.
  const bool by_rows = order == PlaceOrder::row_major;
  const Index step_z = by_rows ? y.input * x.input : 1;
  const Index step_y = by_rows ? x.input : z.input;
  const Index step_x = by_rows ? 1 : z.input * y.input;
  for (Index o = 0; o < x.output; ++o) {
    const Range over_x = x.taps(o);
    Real largest = least<Real>();
    Index place = -1;
    for (Index tz = over_z.from; tz < over_z.to; ++tz)
      for (Index ty = over_y.from; ty < over_y.to; ++ty)
        for (Index tx = over_x.from; tx < over_x.to; ++tx) {
          const Index iz = z.at(row / y.output, tz);
          const Index iy = y.at(row % y.output, ty);
          const Index ix = x.at(o, tx);
          const Real value = plane[(iz * y.input + iy) * x.input + ix];
          if (place >= 0 && !is_larger(value, largest)) continue;
          largest = value;
          place = first + iz * step_z + iy * step_y + ix * step_x;
        }
    to[o] = largest;
    places[o] = place;
  }
}

}  // namespace

template <class Real>
void max_pool(const Window& w, Index planes, const Real* input, Real* output, MaxPlaces places) {
  const Index rows = w.axes[0].output * w.axes[1].output;
  const Index width = w.axes[2].output;
#pragma omp parallel for collapse(2) schedule(static)
  for (Index plane = 0; plane < planes; ++plane)
    for (Index row = 0; row < rows; ++row) {
      const Real* from = input + plane * w.inputs();
      const Index at = (plane * rows + row) * width;
      if (places.to)
        pool_row_with_places(w, from, row, output + at, places.order, plane * w.inputs(), places.to + at);
      else
        pool_row(w, from, row, output + at);
    }
}

template void max_pool(const Window&, Index, const float*, float*, MaxPlaces);
template void max_pool(const Window&, Index, const std::uint8_t*, std::uint8_t*, MaxPlaces);

void global_max_pool(Index planes, Index places, const float* input, float* output) {
#pragma omp parallel for schedule(static)
  for (Index plane = 0; plane < planes; ++plane) {
    float largest = least<float>();
    for (Index i = 0; i < places; ++i) {
      const float x = input[plane * places + i];
      largest = is_larger(x, largest) ? x : largest;
    }
    output[plane] = largest;
  }
}

}  // namespace attention::convolutional
