// The ladder of the backward pass of efficient channel attention, and how far rounding alone may move its gradients.
#include <cmath>
#include <limits>

#include "efficient_channel_backward.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/efficient_channel_backward_rungs.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;
using numerics::chain;
using numerics::largest_finite;

double footprint(const ladder::Shape& s) {
  return 4 * (3 * map_elements(s) + 2 * number(s["batch"]) * number(s["channels"]) + 2 * number(s["kernel"]));
}

std::vector<ladder::Field> fields(const EfficientChannelBackwardOutput& out) {
  return {image_field("input_gradient", out.input), whole_field("weight_gradient", out.weight)};
}

/// Root of the sum of squares, of the finite ones.
template <class Tensor>
double norm(const Tensor& numbers) {
  double squares = 0;
  for (const float x : numbers)
    if (std::isfinite(x)) squares += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(squares);
}

/// As for squeeze-and-excitation, with one row of weights; a weight's gradient sums over channels and images.
std::vector<ladder::ReferenceField> reference_fields(const EfficientChannelBackwardProblem& p,
                                                     const EfficientChannelBackwardReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double places = number(p.places());
  const double terms = number(p.batch() * p.channels());
  const double gate_error = r.gate_sums * (sum_error(chain(places, blocks.values)) + u) + places * smallest;
  const double argument_error = r.largest_slope * gate_error + 4 * u * r.arguments + smallest;
  const double mean_error = norm(p.weight) * argument_error +
                            r.mean_sums * (sum_error(number(p.kernel()) + 1) + 2 * u) + number(p.kernel()) * smallest;
  const double input_error = mean_error / places + 3 * u * (largest_finite(p.output_gradient) + r.mean_sums / places) +
                             2 * smallest;
  const double weight_error = norm(p.kept.mean) * argument_error + r.weight_sums * sum_error(terms + 1) +
                              terms * smallest;
  return {image_reference("input_gradient", r.input, input_error),
          whole_reference("weight_gradient", r.weight, weight_error)};
}

std::vector<ladder::NamedTensor> tensors(const EfficientChannelBackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = efficient_channel().tensors(p);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// As forward's tensors, then output_gradient in the input's shape. Forward is run.
EfficientChannelBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  EfficientChannelBackwardProblem p{efficient_channel().from_inputs(inputs.first(2)), {}, {}};
  p.output_gradient = output_gradient_of(inputs, p.input);
  run_forward(p);
  return p;
}

EfficientChannelBackward describe() {
  EfficientChannelBackward m;
  m.name = "efficient_channel_backward";
  m.title = "Efficient channel attention, backward";
  m.citation = "the chain rule through Wang et al. 2020, ECA-Net, equation 7";
  m.chapter = "06_convolutional_attention";
  m.keys = efficient_channel().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.make = make_efficient_channel_backward;
  m.shape_of = [](const EfficientChannelBackwardProblem& p) { return efficient_channel().shape_of(p); };
  m.prepare = prepare;
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = efficient_channel().tensor_names;
  m.tensor_names.push_back("output_gradient");

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  constexpr auto workspace = efficient_channel_backward_workspace;
  m.ladder = {
      {"formula", "the equations in xtensor", efficient_channel_backward_formula, workspace, {}, false},
      {"loops",
       "all gates' gradients, then all maps: plain loops",
       efficient_channel_backward_loops,
       workspace,
       {},
       false},
      {"openmp", "maps and images shared among the threads", efficient_channel_backward_openmp, workspace},
      {"simd", "vector products, four at a time", efficient_channel_backward_simd, workspace, vectors},
      {"tiled", "image by image, while G is in the cache", efficient_channel_backward_tiled, workspace, vectors},
      {"streamed", "the input's gradient past the caches", efficient_channel_backward_streamed, workspace, vectors},
  };
  return m;
}

}  // namespace

const EfficientChannelBackward& efficient_channel_backward() {
  static const EfficientChannelBackward description = describe();
  return description;
}

ladder::MechanismPtr efficient_channel_backward_mechanism() { return ladder::publish(efficient_channel_backward()); }

}  // namespace attention::convolutional
