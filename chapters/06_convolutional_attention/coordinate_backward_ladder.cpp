// The ladder of coordinate attention's backward pass.
#include "coordinate_backward.hpp"
#include "ladder/publish.hpp"
#include "rungs/coordinate_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const CoordinateBackwardProblem& p) { return coordinate().shape_of(p.forward); }

double footprint(const ladder::Shape& s) {
  return 4 * (3 * map_elements(s) +
              2 * number(s["batch"]) * number(s["channels"]) * (number(s["height"]) + number(s["width"])) +
              2 * number(coordinate_parameters(s["channels"], s["reduction"])));
}

/// A weight's rows stand where a map's images do.
std::vector<ladder::Field> fields(const CoordinateBackwardOutput& out) {
  return {image_field("input_gradient", out.input),
          image_field("reduce_weight_gradient", out.reduce_weight),
          image_field("reduce_bias_gradient", out.reduce_bias),
          image_field("row_weight_gradient", out.row_weight),
          image_field("row_bias_gradient", out.row_bias),
          image_field("column_weight_gradient", out.column_weight),
          image_field("column_bias_gradient", out.column_bias)};
}

/// The reference has followed the roundings on their way: running_error.hpp.
std::vector<ladder::ReferenceField> reference_fields(const CoordinateBackwardProblem&,
                                                     const CoordinateBackwardReference& r, const ladder::Blocks&) {
  return {image_reference("input_gradient", r.input, r.errors[0]),
          image_reference("reduce_weight_gradient", r.reduce_weight, r.errors[1]),
          image_reference("reduce_bias_gradient", r.reduce_bias, r.errors[2]),
          image_reference("row_weight_gradient", r.row_weight, r.errors[3]),
          image_reference("row_bias_gradient", r.row_bias, r.errors[4]),
          image_reference("column_weight_gradient", r.column_weight, r.errors[5]),
          image_reference("column_bias_gradient", r.column_bias, r.errors[6])};
}

std::vector<ladder::NamedTensor> tensors(const CoordinateBackwardProblem& p) {
  auto all = coordinate().tensors(p.forward);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward's tensors and the output's gradient; forward is run.
CoordinateBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  CoordinateBackwardProblem p;
  p.forward = coordinate().from_inputs(inputs.first(inputs.size() - 1));
  p.output_gradient = output_gradient_of(inputs, p.forward.input);
  run_forward(p);
  return p;
}

CoordinateBackward describe() {
  CoordinateBackward m;
  m.name = "coordinate_backward";
  m.title = "Coordinate attention, backward";
  m.citation = "the chain rule through Hou, Zhou, Feng 2021, equations 4 to 9";
  m.chapter = "06_convolutional_attention";
  m.keys = coordinate().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.make = make_coordinate_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = coordinate().tensor_names;
  m.tensor_names.push_back("output_gradient");
  m.ladder = {
      {"formula",
       "the equations in xtensor",
       coordinate_backward_formula,
       coordinate_backward_formula_workspace,
       {},
       false},
      {"loops",
       "all gates' gradients, then all maps': plain loops",
       coordinate_backward_loops,
       coordinate_backward_passes_workspace,
       {},
       false},
      {"openmp", "maps and parts of the images shared among the threads", coordinate_backward_openmp,
       coordinate_backward_passes_workspace},
      {"simd", "vectors: rows and columns from one load", coordinate_backward_simd,
       coordinate_backward_passes_workspace},
      {"streamed", "image by image, the gradient past the caches", coordinate_backward_streamed,
       coordinate_backward_streamed_workspace},
  };
  return m;
}

}  // namespace

const CoordinateBackward& coordinate_backward() {
  static const CoordinateBackward description = describe();
  return description;
}

ladder::MechanismPtr coordinate_backward_mechanism() { return ladder::publish(coordinate_backward()); }

}  // namespace attention::convolutional
