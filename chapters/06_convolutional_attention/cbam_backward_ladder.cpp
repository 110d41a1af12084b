// The ladder of CBAM's backward pass, and how far rounding alone may move its gradients.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cbam_backward.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/cbam_backward_rungs.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;
using numerics::chain;
using numerics::largest_finite;

double footprint(const ladder::Shape& s) {
  const double images = number(s["batch"]);
  return 4 * (3 * map_elements(s) + 5 * images * (number(s["channels"]) + number(s["height"]) * number(s["width"])) +
              2 * number(cbam_parameters(s["channels"], s["reduction"], s["kernel"])));
}

std::vector<ladder::Field> fields(const CbamBackwardOutput& out) {
  return {image_field("input_gradient", out.input), whole_field("reduce_weight_gradient", out.reduce_weight),
          whole_field("expand_weight_gradient", out.expand_weight),
          whole_field("spatial_weight_gradient", out.spatial_weight)};
}

/// Σ |x| and root of Σ x², of the finite ones.
struct Norms {
  double absolute = 0;
  double square = 0;

  Norms(const float* numbers, Index n) {
    for (Index i = 0; i < n; ++i) {
      const auto x = static_cast<double>(numbers[i]);
      if (!std::isfinite(x)) continue;
      absolute += std::abs(x);
      square += x * x;
    }
    square = std::sqrt(square);
  }
};

/// What rounding explains, what forward kept being given. The errors of the single dT are independent. They reach a
/// pool's gradient by the root of the kernel's squares. A channel's gate sums over the places what came of them: each
/// dT moves it by its kernel's weights times the map's numbers near it, so by at most the sum of the weights' sizes
/// times the map's norm. Then as for squeeze-and-excitation, with two ways through the hidden units.
std::vector<ladder::ReferenceField> reference_fields(const CbamBackwardProblem& p, const CbamBackwardReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  const double smallest = 4 * static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double places = number(p.places());
  const double channels = number(p.channels());
  const double hidden = number(p.hidden());
  const double images = number(p.batch());
  const Index taps = p.kernel() * p.kernel();
  const Norms of_mean(p.spatial_weight.data(), taps);
  const Norms of_largest(p.spatial_weight.data() + taps, taps);

  const double place_error = r.place_sums * (sum_error(channels + 1) + 2 * u) + channels * smallest;
  const double spatial_error = r.spatial_slope * place_error + 4 * u * r.spatial_arguments + smallest;
  const double pool_rounding = r.pool_sums * (sum_error(number(taps) + 1) + u) + number(taps) * smallest;
  const double gated_rounding = (1 / channels + 1) * pool_rounding + 4 * u * r.gated + smallest;
  const double gated_error = (of_mean.square / channels + of_largest.square) * spatial_error + gated_rounding;
  const double channel_error = r.map_norm * (gated_rounding +
                                             (of_mean.absolute / channels + of_largest.absolute) * spatial_error) +
                               r.channel_sums * (sum_error(chain(places, blocks.values) + 1) + 2 * u) +
                               places * smallest;
  const double argument_error = r.channel_slope * channel_error + 4 * u * r.channel_arguments + smallest;
  const double hidden_error = largest_column_norm(p.expand_weight) * argument_error +
                              r.hidden_sums * sum_error(channels + 1) + channels * smallest;
  const double shift_error = largest_column_norm(p.reduce_weight) * hidden_error +
                             r.shift_sums * (sum_error(hidden + 1) + 2 * u) + hidden * smallest;
  const double input_error = gated_error + (1 / places + 1) * shift_error +
                             4 * u * (r.gated + (1 / places + 1) * r.shift_sums) + smallest;

  const double over_images = sum_error(2 * images + 1) + u;
  const double pooled = Norms(p.kept.pooled.data(), static_cast<Index>(p.kept.pooled.size())).square;
  const double reduce_error = (largest_column_norm(p.kept.mean) + largest_column_norm(p.kept.largest)) * hidden_error +
                              r.reduce_weight_sums * over_images + images * smallest;
  const double expand_error = (largest_column_norm(p.kept.hidden_mean) + largest_column_norm(p.kept.hidden_largest)) *
                                  argument_error +
                              r.expand_weight_sums * over_images + images * smallest;
  const double spatial_weight_error = pooled * spatial_error + r.spatial_weight_sums * sum_error(images * places + 1) +
                                      images * places * smallest;
  return {image_reference("input_gradient", r.input, input_error),
          whole_reference("reduce_weight_gradient", r.reduce_weight, reduce_error),
          whole_reference("expand_weight_gradient", r.expand_weight, expand_error),
          whole_reference("spatial_weight_gradient", r.spatial_weight, spatial_weight_error)};
}

std::vector<ladder::NamedTensor> tensors(const CbamBackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = cbam().tensors(p);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// As forward's tensors, then output_gradient in the input's shape. Forward is run.
CbamBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  CbamBackwardProblem p{cbam().from_inputs(inputs.first(4)), {}, {}};
  p.output_gradient = output_gradient_of(inputs, p.input);
  run_forward(p);
  return p;
}

CbamBackward describe() {
  CbamBackward m;
  m.name = "cbam_backward";
  m.title = "Convolutional block attention module (CBAM), backward";
  m.citation = "the chain rule through Woo et al. 2018, CBAM, equations 1 to 3";
  m.chapter = "06_convolutional_attention";
  m.keys = cbam().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.make = make_cbam_backward;
  m.shape_of = [](const CbamBackwardProblem& p) { return cbam().shape_of(p); };
  m.prepare = prepare;
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = cbam().tensor_names;
  m.tensor_names.push_back("output_gradient");

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  m.ladder = {
      {"formula", "the equations in xtensor", cbam_backward_formula, cbam_backward_formula_workspace, {}, false},
      {"loops",
       "three passes, plain loops; dF' made when needed",
       cbam_backward_loops,
       cbam_backward_passes_workspace,
       {},
       false},
      {"openmp", "maps and images shared among the threads", cbam_backward_openmp, cbam_backward_passes_workspace},
      {"fused", "image by image, two sums from one product, past the caches", cbam_backward_fused,
       cbam_backward_fused_workspace, vectors},
  };
  return m;
}

}  // namespace

const CbamBackward& cbam_backward() {
  static const CbamBackward description = describe();
  return description;
}

ladder::MechanismPtr cbam_backward_mechanism() { return ladder::publish(cbam_backward()); }

}  // namespace attention::convolutional
