// The ladder of the backward pass of squeeze-and-excitation, and how far rounding alone may move its gradients.
#include <cmath>
#include <limits>

#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/map.hpp"
#include "rungs/squeeze_excitation_backward_rungs.hpp"
#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;
using numerics::chain;
using numerics::largest_finite;

double footprint(const ladder::Shape& s) {
  const double images = number(s["batch"]);
  return 4 * (3 * map_elements(s) + 3 * images * number(s["channels"]) +
              2 * number(squeeze_excitation_parameters(s["channels"], s["reduction"])));
}

std::vector<ladder::Field> fields(const SqueezeExcitationBackwardOutput& out) {
  return {image_field("input_gradient", out.input), whole_field("reduce_weight_gradient", out.reduce_weight),
          whole_field("reduce_bias_gradient", out.reduce_bias),
          whole_field("expand_weight_gradient", out.expand_weight),
          whole_field("expand_bias_gradient", out.expand_bias)};
}

/// What rounding explains, what forward kept being given. Errors of the single da, and of the single dh, are
/// independent: a column of weights, or a column of what was kept over the images, adds up their squares. Then the
/// roundings of each sum itself.
std::vector<ladder::ReferenceField> reference_fields(const SqueezeExcitationBackwardProblem& p,
                                                     const SqueezeExcitationBackwardReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double places = number(p.places());
  const double images = number(p.batch());
  const double over_images = sum_error(images + 1);
  const double gate_error = r.gate_sums * (sum_error(chain(places, blocks.values)) + u) + places * smallest;
  const double argument_error = r.largest_slope * gate_error + 4 * u * r.arguments + smallest;
  const double hidden_error = largest_column_norm(p.expand_weight) * argument_error +
                              r.hidden_sums * sum_error(number(p.channels()) + 1) + number(p.channels()) * smallest;
  const double mean_error = largest_column_norm(p.reduce_weight) * hidden_error +
                            r.mean_sums * (sum_error(number(p.hidden()) + 1) + 2 * u) + number(p.hidden()) * smallest;
  const double input_error = mean_error / places + 3 * u * (largest_finite(p.output_gradient) + r.mean_sums / places) +
                             2 * smallest;
  const auto weights = [&](double norm, double error, double sums) {
    return norm * error + sums * over_images + images * smallest;
  };
  return {image_reference("input_gradient", r.input, input_error),
          whole_reference("reduce_weight_gradient", r.reduce_weight,
                          weights(largest_column_norm(p.kept.mean), hidden_error, r.reduce_weight_sums)),
          whole_reference("reduce_bias_gradient", r.reduce_bias,
                          weights(std::sqrt(images), hidden_error, r.reduce_bias_sums)),
          whole_reference("expand_weight_gradient", r.expand_weight,
                          weights(largest_column_norm(p.kept.hidden), argument_error, r.expand_weight_sums)),
          whole_reference("expand_bias_gradient", r.expand_bias,
                          weights(std::sqrt(images), argument_error, r.expand_bias_sums))};
}

std::vector<ladder::NamedTensor> tensors(const SqueezeExcitationBackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = squeeze_excitation().tensors(p);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// As forward's tensors, then output_gradient in the input's shape. Forward is run.
SqueezeExcitationBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  SqueezeExcitationBackwardProblem p{squeeze_excitation().from_inputs(inputs.first(5)), {}, {}};
  p.output_gradient = output_gradient_of(inputs, p.input);
  run_forward(p);
  return p;
}

SqueezeExcitationBackward describe() {
  SqueezeExcitationBackward m;
  m.name = "squeeze_excitation_backward";
  m.title = "Squeeze-and-excitation, backward";
  m.citation = "the chain rule through Hu, Shen, Sun 2018, Squeeze-and-Excitation Networks, equations 2 to 4";
  m.chapter = "06_convolutional_attention";
  m.keys = squeeze_excitation().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.make = make_squeeze_excitation_backward;
  m.shape_of = [](const SqueezeExcitationBackwardProblem& p) { return squeeze_excitation().shape_of(p); };
  m.prepare = prepare;
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = squeeze_excitation().tensor_names;
  m.tensor_names.push_back("output_gradient");

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  constexpr auto workspace = squeeze_excitation_backward_workspace;
  m.ladder = {
      {"formula", "the equations in xtensor", squeeze_excitation_backward_formula, workspace, {}, false},
      {"loops",
       "all gates' gradients, then all maps: plain loops",
       squeeze_excitation_backward_loops,
       workspace,
       {},
       false},
      {"openmp", "maps, images and rows of weights shared out", squeeze_excitation_backward_openmp, workspace},
      {"simd", "vector products, four at a time", squeeze_excitation_backward_simd, workspace, vectors},
      {"tiled", "image by image, while G is in the cache", squeeze_excitation_backward_tiled, workspace, vectors},
      {"streamed", "the input's gradient past the caches", squeeze_excitation_backward_streamed, workspace, vectors},
  };
  return m;
}

}  // namespace

const SqueezeExcitationBackward& squeeze_excitation_backward() {
  static const SqueezeExcitationBackward description = describe();
  return description;
}

ladder::MechanismPtr squeeze_excitation_backward_mechanism() { return ladder::publish(squeeze_excitation_backward()); }

}  // namespace attention::convolutional
