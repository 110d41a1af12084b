// The table of rungs, and what those who walk the ladder need to know of coordinate attention.
#include <algorithm>
#include <cmath>
#include <limits>

#include "coordinate.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::largest_finite;

ladder::Shape shape_of(const CoordinateProblem& p) {
  auto sizes = map_sizes(p);
  sizes.emplace_back("reduction", p.reduction);
  return ladder::Shape(sizes);
}

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) + number(s["batch"]) * number(s["channels"]) * (number(s["height"]) + number(s["width"])) +
              number(coordinate_parameters(s["channels"], s["reduction"])));
}

std::vector<ladder::Field> fields(const CoordinateOutput& out) {
  return {image_field("output", out.output), image_field("row_gate", out.row_gate), image_field("column_gate", out.column_gate)};
}

/// What rounding explains. Errors of the means are independent: a row of weights adds up their squares; then the roundings of each
/// sum itself. h-swish has a slope of 3/2 at most, and rounds x + 3, two products and a division. An error of a gate's argument
/// moves y by 1 − g times |y|; over a distance δ that grows by e^δ at most, and the other gate by e^δ of its own.
std::vector<ladder::ReferenceField> reference_fields(const CoordinateProblem& p, const CoordinateReference& r, const ladder::Blocks&) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double width = number(p.width());
  const double height = number(p.height());
  const double mean_error = std::max(r.row_sums / width * (sum_error(width) + 2 * unit_roundoff),
                                     r.column_sums / height * (sum_error(height) + 2 * unit_roundoff));
  const double hidden_error = largest_row_norm(p.reduce_weight) * mean_error + r.hidden_sums * sum_error(number(p.channels()) + 1);
  const double unit_error = 1.5 * hidden_error + 6 * unit_roundoff * (r.hidden_sums + 3);
  const double norm = std::max(largest_row_norm(p.row_weight), largest_row_norm(p.column_weight));
  const double argument_error = norm * unit_error + r.gate_sums * sum_error(number(p.hidden()) + 1);
  const double gate_error = sigmoid_error(r.slope, argument_error);
  const double largest = largest_finite(p.input);
  const double growth = std::exp(std::min(2 * argument_error, 50.0)) * argument_error;
  const double output_error = std::min(r.row_moves * growth, largest * gate_error) +
                              std::min(r.column_moves * growth, largest * gate_error) + largest * 10 * unit_roundoff;
  const double smallest = 4 * static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {image_reference("output", r.output, output_error + smallest), image_reference("row_gate", r.row_gate, gate_error),
          image_reference("column_gate", r.column_gate, gate_error)};
}

std::vector<ladder::NamedTensor> tensors(const CoordinateProblem& p) {
  return {named("input", p.input),           named("reduce_weight", p.reduce_weight), named("reduce_bias", p.reduce_bias),
          named("row_weight", p.row_weight), named("row_bias", p.row_bias),           named("column_weight", p.column_weight),
          named("column_bias", p.column_bias)};
}

/// input [height, width] up to [batch, channels, height, width]; the matrices and vectors as they are.
CoordinateProblem from_inputs(const ladder::Inputs& inputs) {
  CoordinateProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<2>(1, 2), inputs.tensor<1>(2, 1),
                      inputs.tensor<2>(3, 2), inputs.tensor<1>(4, 1), inputs.tensor<2>(5, 2),
                      inputs.tensor<1>(6, 1), 32};
  require_equal("reduce_weight", "columns", tensor::extent(p.reduce_weight, 1), "the input's channels", p.channels());
  require_equal("reduce_bias", "entries", tensor::extent(p.reduce_bias, 0), "reduce_weight's rows", p.hidden());
  require_equal("row_weight", "rows", tensor::extent(p.row_weight, 0), "the input's channels", p.channels());
  require_equal("row_weight", "columns", tensor::extent(p.row_weight, 1), "reduce_weight's rows", p.hidden());
  require_equal("row_bias", "entries", tensor::extent(p.row_bias, 0), "the input's channels", p.channels());
  require_equal("column_weight", "rows", tensor::extent(p.column_weight, 0), "the input's channels", p.channels());
  require_equal("column_weight", "columns", tensor::extent(p.column_weight, 1), "reduce_weight's rows", p.hidden());
  require_equal("column_bias", "entries", tensor::extent(p.column_bias, 0), "the input's channels", p.channels());
  p.reduction = std::max<Index>(p.channels() / p.hidden(), 1);
  return p;
}

Coordinate describe() {
  Coordinate m;
  m.name = "coordinate";
  m.title = "Coordinate attention";
  m.citation = "Hou, Zhou, Feng 2021, Coordinate Attention for Efficient Mobile Network Design, equations 4 to 9";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  m.keys.push_back({"reduction", "channels to one hidden unit, of which there are 8 at least", 32, "", 1, {1, 2, 32}});
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.tile_edges = {};
  m.make = make_coordinate;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const CoordinateProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "reduce_weight", "reduce_bias", "row_weight", "row_bias", "column_weight", "column_bias"};

  m.ladder = {
      {"formula", "the equations in xtensor", coordinate_formula, coordinate_formula_workspace, {}, false},
      {"loops", "all means, all gates, all products: plain loops", coordinate_loops, coordinate_passes_workspace, {}, false},
      {"openmp", "maps and images shared among the threads", coordinate_openmp, coordinate_passes_workspace},
      {"simd", "vectors: rows and columns from one load", coordinate_simd, coordinate_passes_workspace},
      {"tiled", "image by image, while it is in the cache", coordinate_tiled, coordinate_image_workspace},
      {"streamed", "the output past the caches", coordinate_streamed, coordinate_image_workspace},
      {"ahead", "the next image read while this one is written", coordinate_ahead, coordinate_image_workspace},
  };
  return m;
}

}  // namespace

const Coordinate& coordinate() {
  static const Coordinate description = describe();
  return description;
}

ladder::MechanismPtr coordinate_mechanism() { return ladder::publish(coordinate()); }

}  // namespace attention::convolutional
