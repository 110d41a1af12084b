// MaxPool, AveragePool and the pools over whole maps: chapter 6's layers.
#include "layers/pooling.hpp"

#include <fmt/format.h>

#include "conformance/operators.hpp"
#include "conformance/window_attributes.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

using convolutional::Window;

/// The window over X, and how many planes X has. The outputs given must have the window's shape.
Window window_of(const Case& given, const Attributes& attributes) {
  const CaseTensor& x = *given.input(0);
  const Window window = convolutional::window_over(spatial_of(x), window_attributes(attributes));
  Shape shape{x.extent(0), x.extent(1)};
  for (const Index length : window.output_shape()) shape.push_back(length);
  for (const std::size_t place : {std::size_t{0}, std::size_t{1}})
    if (const CaseTensor* output = given.output(place)) require_shape(*output, shape);
  return window;
}

Index planes_of(const CaseTensor& x) { return x.extent(0) * x.extent(1); }

template <class Real>
void check_max_pool(const Case& given, Report& report, const Window& window, const Real* input) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor* y = given.output(0);
  const CaseTensor* indices = given.output(1);
  const Index order = Attributes(given.attributes).integer("storage_order", 0, 0, 1);
  const auto count = static_cast<std::size_t>(planes_of(x) * window.outputs());
  std::vector<Real> pooled(count);
  const auto check = [&](const char* rung) {
    if (y) report.check(rung, *y, std::vector<float>(pooled.begin(), pooled.end()));
  };
  std::vector<std::int64_t> places(count);
  convolutional::max_pool(window, planes_of(x), input, pooled.data(),
                          {places.data(), order == 0 ? convolutional::PlaceOrder::row_major : convolutional::PlaceOrder::column_major});
  check("windows");
  if (indices) report.check_equal("windows", *indices, places);
  if (!y) return;
  convolutional::max_pool(window, planes_of(x), input, pooled.data());
  check("rows");
}

/// The pools over all places of a plane.
template <class Pool>
void run_global_pool(const Case& given, Report& report, Pool pool) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  require_same_dtype(y, x);
  if (x.rank() < 2) throw program::UserError(fmt::format("X has {} dimensions, expected batch, channels and more", x.rank()));
  Shape shape(x.shape().size(), 1);
  shape[0] = x.extent(0);
  shape[1] = x.extent(1);
  require_shape(y, shape);
  Index places = 1;
  for (Index axis = 2; axis < x.rank(); ++axis) places *= x.extent(axis);
  std::vector<float> pooled(static_cast<std::size_t>(planes_of(x)));
  pool(planes_of(x), places, x.as_float().data(), pooled.data());
  report.check("rows", y, pooled);
}

}  // namespace

void run_max_pool(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  if (x.dtype() != "uint8") require_float(x);
  if (const CaseTensor* y = given.output(0)) require_same_dtype(*y, x);
  if (const CaseTensor* indices = given.output(1); indices && indices->dtype() != "int64")
    throw program::UserError(fmt::format("Indices are of dtype {}, expected int64", indices->dtype()));
  const Window window = window_of(given, Attributes(given.attributes));
  if (x.dtype() == "uint8")
    check_max_pool(given, report, window, x.data<std::uint8_t>());
  else
    check_max_pool(given, report, window, x.as_float().data());
}

void run_average_pool(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  require_same_dtype(y, x);
  const Attributes attributes(given.attributes);
  const bool count_padding = attributes.integer("count_include_pad", 0, 0, 1) == 1;
  const Window window = window_of(given, attributes);
  std::vector<float> pooled(static_cast<std::size_t>(y.size()));
  convolutional::average_pool(window, planes_of(x), x.as_float().data(), count_padding, pooled.data());
  report.check("rows", y, pooled);
}

void run_global_max_pool(const Case& given, Report& report) { run_global_pool(given, report, convolutional::global_max_pool); }

void run_global_average_pool(const Case& given, Report& report) { run_global_pool(given, report, convolutional::global_average_pool); }

}  // namespace attention::conformance
