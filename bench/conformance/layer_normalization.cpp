// LayerNormalization: over the last axes, from `axis` on (Ba et al. 2016).
#include <fmt/format.h>

#include <cmath>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

/// Where the number at `place` of a tensor of `shape` is found in one that is broadcast to it from the right.
class Broadcast {
 public:
  Broadcast(const CaseTensor& tensor, const Shape& shape) : shape_(shape), strides_(shape.size(), 0) {
    Index stride = 1;
    for (Index back = 1; back <= tensor.rank(); ++back) {
      const Index length = tensor.extent(tensor.rank() - back);
      const Index axis = std::ssize(shape) - back;
      if (axis < 0 || (length != 1 && length != shape[static_cast<std::size_t>(axis)]))
        throw program::UserError(fmt::format("{} has shape {}, which cannot be broadcast to {}", tensor.name(),
                                             as_text(tensor.shape()), as_text(shape)));
      if (length != 1) strides_[static_cast<std::size_t>(axis)] = stride;
      stride *= length;
    }
  }

  Index operator()(Index place) const {
    Index at = 0;
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      at += place % shape_[axis] * strides_[axis];
      place /= shape_[axis];
    }
    return at;
  }

 private:
  Shape shape_;
  Shape strides_;
};

}  // namespace

void run_layer_normalization(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& scale = *given.input(1);
  const CaseTensor* bias = given.input(2);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  require_same_dtype(scale, x);
  if (bias) require_same_dtype(*bias, x);
  require_same_dtype(y, x);
  require_shape(y, x.shape());
  if (x.rank() == 0) throw program::UserError("X has no dimension to normalize over");

  const Attributes attributes(given.attributes);
  const Index axis = attributes.integer("axis", -1, -x.rank(), x.rank() - 1);
  const double epsilon = attributes.real("epsilon").value_or(1e-5);
  if (const Index stash = attributes.integer("stash_type", 1); stash != 1)
    throw NotKnown(fmt::format("stash_type {} is not known here, 1 (float32) is", stash));

  Shape statistics = x.shape();
  Index width = 1;
  for (Index a = axis < 0 ? axis + x.rank() : axis; a < x.rank(); ++a) {
    width *= x.extent(a);
    statistics[static_cast<std::size_t>(a)] = 1;
  }
  for (const std::size_t place : {std::size_t{1}, std::size_t{2}})
    if (const CaseTensor* output = given.output(place)) {
      require_shape(*output, statistics);
      require_float(*output);
    }
  const Broadcast scale_at(scale, x.shape());
  const Broadcast bias_at(bias ? *bias : scale, x.shape());

  const std::vector<float> from = x.as_float();
  const std::vector<float> factor = scale.as_float();
  const std::vector<float> added = bias ? bias->as_float() : std::vector<float>();
  std::size_t rows = 1;
  for (const Index length : statistics) rows *= static_cast<std::size_t>(length);
  if (width == 0) rows = 0;
  std::vector<float> normalized(from.size()), means(rows), inverses(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const Index first = static_cast<Index>(row) * width;
    const float* numbers = from.data() + first;
    double mean = 0;
    for (Index i = 0; i < width; ++i) mean += static_cast<double>(numbers[i]);
    mean /= static_cast<double>(width);
    double variance = 0;
    for (Index i = 0; i < width; ++i)
      variance += (static_cast<double>(numbers[i]) - mean) * (static_cast<double>(numbers[i]) - mean);
    variance /= static_cast<double>(width);
    const double inverse = 1 / std::sqrt(variance + epsilon);
    for (Index i = 0; i < width; ++i) {
      const double value = (static_cast<double>(numbers[i]) - mean) * inverse *
                           static_cast<double>(factor[static_cast<std::size_t>(scale_at(first + i))]);
      normalized[static_cast<std::size_t>(first + i)] =
          static_cast<float>(bias ? value + static_cast<double>(added[static_cast<std::size_t>(bias_at(first + i))]) : value);
    }
    means[row] = static_cast<float>(mean);
    inverses[row] = static_cast<float>(inverse);
  }
  report.check("plain", y, normalized);
  // Without numbers there is no mean; nothing is compared then.
  if (width == 0) return;
  if (const CaseTensor* output = given.output(1)) report.check("plain", *output, means);
  if (const CaseTensor* output = given.output(2)) report.check("plain", *output, inverses);
}

}  // namespace attention::conformance
