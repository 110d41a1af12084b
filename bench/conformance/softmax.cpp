// Softmax along one axis.
#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "rungs/softmax.hpp"

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
  to = from;
  for (Index row = 0; row < rows; ++row) dot_product::softmax_row_simd(to.data() + row * length, length, 1);
  report.check("simd", y, to);
}

}  // namespace attention::conformance
