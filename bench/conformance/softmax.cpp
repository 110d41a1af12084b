// Softmax along one axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "simd/exp2.hpp"
#include "simd/vector.hpp"

namespace attention::conformance {

namespace {

/// exp(x − max) / sum over `length` numbers that lie `stride` apart, the sum in float64.
void softmax_plain(const float* from, Index length, Index stride, float* to) {
  float largest = -std::numeric_limits<float>::infinity();
  for (Index i = 0; i < length; ++i) largest = std::max(largest, from[i * stride]);
  double total = 0;
  for (Index i = 0; i < length; ++i) {
    to[i * stride] = std::exp(from[i * stride] - largest);
    total += static_cast<double>(to[i * stride]);
  }
  for (Index i = 0; i < length; ++i) to[i * stride] = static_cast<float>(static_cast<double>(to[i * stride]) / total);
}

/// The same of numbers that lie side by side, with vectors; the end that fills no vector is worked on in a copy.
void softmax_simd(const float* from, Index length, float* to) {
  constexpr float lowest = -std::numeric_limits<float>::infinity();
  const auto load = [&](Index i) {
    if (i + simd::lanes <= length) return simd::load(from + i);
    float end[simd::lanes];
    std::fill(end, end + simd::lanes, lowest);
    std::copy(from + i, from + length, end);
    return simd::load(end);
  };
  simd::Float largest = simd::broadcast(lowest);
  for (Index i = 0; i < length; i += simd::lanes) largest = simd::max(load(i), largest);
  const simd::Float m = simd::broadcast(simd::maximum(largest));
  double total = 0;
  for (Index i = 0; i < length; i += simd::lanes) total += static_cast<double>(simd::sum(simd::exp(load(i) - m)));
  for (Index i = 0; i < length; i += simd::lanes) {
    float end[simd::lanes];
    simd::store(end, simd::exp(load(i) - m) / simd::broadcast(static_cast<float>(total)));
    std::copy(end, end + std::min<Index>(simd::lanes, length - i), to + i);
  }
}

}  // namespace

void run_softmax(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  require_same_dtype(y, x);
  require_shape(y, x.shape());
  const Attributes attributes(given.attributes);
  const Index rank = std::max<Index>(x.rank(), 1);
  const Index axis = attributes.integer("axis", -1, -rank, rank - 1);
  const Index place = axis < 0 ? axis + rank : axis;
  const Index length = x.rank() == 0 ? 1 : x.extent(place);
  Index stride = 1;
  for (Index a = place + 1; a < x.rank(); ++a) stride *= x.extent(a);
  const Index rows = length * stride == 0 ? 0 : x.size() / (length * stride);

  const std::vector<float> from = x.as_float();
  std::vector<float> to(from.size());
  for (Index row = 0; row < rows; ++row)
    for (Index s = 0; s < stride; ++s)
      softmax_plain(from.data() + row * length * stride + s, length, stride, to.data() + row * length * stride + s);
  report.check("plain", y, to);

  if (stride != 1) return;
  std::ranges::fill(to, 0.F);
  for (Index row = 0; row < rows; ++row) softmax_simd(from.data() + row * length, length, to.data() + row * length);
  report.check("simd", y, to);
}

}  // namespace attention::conformance
