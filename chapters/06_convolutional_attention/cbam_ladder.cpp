// The table of rungs, and what those who walk the ladder need to know of CBAM.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cbam.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::chain;
using numerics::largest_finite;

ladder::Shape shape_of(const CbamProblem& p) {
  auto sizes = map_sizes(p);
  sizes.emplace_back("reduction", p.reduction);
  sizes.emplace_back("kernel", p.kernel());
  return ladder::Shape(sizes);
}

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) + number(s["batch"]) * (number(s["channels"]) + number(s["height"]) * number(s["width"])) +
              number(cbam_parameters(s["channels"], s["reduction"], s["kernel"])));
}

std::vector<ladder::Field> fields(const CbamOutput& out) {
  return {image_field("output", out.output), image_field("channel_gate", out.channel_gate), image_field("spatial_gate", out.spatial_gate)};
}

double absolute_sum(const Tensor<3>& weights) {
  double sum = 0;
  for (const float w : weights) sum += std::isfinite(w) ? std::abs(static_cast<double>(w)) : 0;
  return sum;
}

/// What rounding explains. The channel gates as for squeeze-and-excitation, the maximum being exact. An error of a gate's argument
/// moves F′ by the slope times |F|, all places of a map together: so it reaches a place's mean and maximum in full, and from
/// there the convolution, by the sum of its weights' sizes. A sigmoid's slope grows by e^δ at most over a distance δ.
std::vector<ladder::ReferenceField> reference_fields(const CbamProblem& p, const CbamReference& r, const ladder::Blocks& blocks) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const auto moved = [](double moves, double argument_error) { return moves * std::exp(std::min(argument_error, 50.0)) * argument_error; };
  // A term goes through the additions of its block, and one for each block.
  const double places = number(p.places());
  const double mean_error = r.pool_sums / places * (sum_error(chain(places, blocks.values)) + 2 * unit_roundoff);
  const double over_channels = sum_error(number(p.channels()) + 1);
  const double hidden_error = largest_row_norm(p.reduce_weight) * mean_error + 2 * r.hidden_sums * (over_channels + unit_roundoff);
  const double argument_error = largest_row_norm(p.expand_weight) * hidden_error + r.gate_sums * sum_error(2 * number(p.hidden()) + 1);
  const double gate_error = sigmoid_error(r.channel_slope, argument_error);

  const double largest = largest_finite(p.input);
  const double gated_error = std::min(moved(r.channel_moves, argument_error), largest * gate_error) + largest * 5 * unit_roundoff;
  const double pooled_error = gated_error + r.place_sums / number(p.channels()) * over_channels + r.gated * 2 * unit_roundoff;
  const double taps = number(2 * p.kernel() * p.kernel());
  const double spatial_argument_error = absolute_sum(p.spatial_weight) * pooled_error + r.spatial_sums * sum_error(taps + 1);
  const double spatial_error = sigmoid_error(r.spatial_slope, spatial_argument_error);
  const double output_error = gated_error + std::min(moved(r.spatial_moves, spatial_argument_error), r.gated * spatial_error) +
                              r.gated * 6 * unit_roundoff;
  const double smallest = 4 * static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {image_reference("output", r.output, output_error + smallest), image_reference("channel_gate", r.channel_gate, gate_error),
          image_reference("spatial_gate", r.spatial_gate, spatial_error)};
}

std::vector<ladder::NamedTensor> tensors(const CbamProblem& p) {
  return {named("input", p.input), named("reduce_weight", p.reduce_weight), named("expand_weight", p.expand_weight),
          named("spatial_weight", p.spatial_weight)};
}

/// input [height, width] up to [batch, channels, height, width]; the two matrices; spatial_weight [2, kernel, kernel].
CbamProblem from_inputs(const ladder::Inputs& inputs) {
  CbamProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<2>(1, 2), inputs.tensor<2>(2, 2),
                inputs.tensor<3>(3, 3), 16};
  require_equal("reduce_weight", "columns", tensor::extent(p.reduce_weight, 1), "the input's channels", p.channels());
  require_equal("expand_weight", "rows", tensor::extent(p.expand_weight, 0), "the input's channels", p.channels());
  require_equal("expand_weight", "columns", tensor::extent(p.expand_weight, 1), "reduce_weight's rows", p.hidden());
  require_equal("spatial_weight", "maps", tensor::extent(p.spatial_weight, 0), "the number of pools", 2);
  require_equal("spatial_weight", "columns", tensor::extent(p.spatial_weight, 2), "its rows", p.kernel());
  if (p.kernel() % 2 == 0)
    throw program::UserError(
        fmt::format("spatial_weight: the kernel's side is {}, which is even; a kernel with a middle is odd", p.kernel()));
  p.reduction = std::max<Index>(p.channels() / p.hidden(), 1);
  return p;
}

Cbam describe() {
  Cbam m;
  m.name = "cbam";
  m.title = "Convolutional block attention module (CBAM)";
  m.citation = "Woo et al. 2018, CBAM, equations 1 to 3";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  m.keys.push_back({"reduction", "channels to one hidden unit", 16, "", 1, {1, 2, 16}});
  m.keys.push_back({"kernel", "side of the spatial gate's square kernel, odd", 7, "", 1, {1, 3, 7}});
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.tile_edges = {};
  m.make = make_cbam;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const CbamProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "reduce_weight", "expand_weight", "spatial_weight"};

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  m.ladder = {
      {"formula", "the equations in xtensor", cbam_formula, cbam_formula_workspace, {}, false},
      {"loops", "five passes, plain loops; F' made when needed", cbam_loops, cbam_passes_workspace, {}, false},
      {"openmp", "maps and images shared among the threads", cbam_openmp, cbam_passes_workspace},
      {"simd", "vector pools, the convolution's own rung 5", cbam_simd, cbam_passes_workspace, vectors},
      {"tiled", "image by image, while it is in the cache", cbam_tiled, cbam_tiled_workspace, vectors},
      {"fused", "bands of rows: pool, convolve, multiply in one pass", cbam_fused, cbam_fused_workspace, vectors},
      {"ahead", "the next image read while this one is written", cbam_ahead, cbam_fused_workspace, vectors},
  };
  return m;
}

}  // namespace

const Cbam& cbam() {
  static const Cbam description = describe();
  return description;
}

ladder::MechanismPtr cbam_mechanism() { return ladder::publish(cbam()); }

}  // namespace attention::convolutional
