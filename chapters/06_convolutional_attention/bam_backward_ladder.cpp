// The ladder of the bottleneck attention module's backward pass.
#include <fmt/format.h>

#include "bam_backward.hpp"
#include "ladder/publish.hpp"
#include "rungs/bam_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const BamBackwardProblem& p) { return bam().shape_of(p.forward); }

double footprint(const ladder::Shape& s) {
  const double places = number(s["batch"]) * number(s["height"]) * number(s["width"]);
  const double inner = 3 * (number(s["channels"]) / number(s["reduction"]) + 1);
  return 4 * (3 * map_elements(s) + places * (1 + inner) + 2 * number(s["batch"]) * number(s["channels"]) +
              2 * number(bam_parameters(s["channels"], s["reduction"])));
}

/// A weight's rows stand where a map's images do.
std::vector<ladder::Field> fields(const BamBackwardOutput& out) {
  std::vector<ladder::Field> all{image_field("input_gradient", out.input)};
  for_each_bam_weight(out, [&all](const char* name, const auto& t) {
    all.push_back(image_field(fmt::format("{}_gradient", name), t));
  });
  return all;
}

/// The reference has followed the roundings on their way: running_error.hpp.
std::vector<ladder::ReferenceField> reference_fields(const BamBackwardProblem&, const BamBackwardReference& r,
                                                     const ladder::Blocks&) {
  std::vector<ladder::ReferenceField> all{image_reference("input_gradient", r.input, r.errors[0])};
  for_each_bam_weight(r, [&](const char* name, const auto& t) {
    all.push_back(image_reference(fmt::format("{}_gradient", name), t, r.errors[all.size()]));
  });
  return all;
}

std::vector<ladder::NamedTensor> tensors(const BamBackwardProblem& p) {
  auto all = bam().tensors(p.forward);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward's tensors and the output's gradient; forward is run.
BamBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  BamBackwardProblem p;
  p.forward = bam().from_inputs(inputs.first(inputs.size() - 1));
  p.output_gradient = output_gradient_of(inputs, p.forward.input);
  run_forward(p);
  return p;
}

BamBackward describe() {
  BamBackward m;
  m.name = "bam_backward";
  m.title = "Bottleneck attention module (BAM), backward";
  m.citation = "the chain rule through Park et al. 2018, BAM, equations 1 to 4";
  m.chapter = "06_convolutional_attention";
  m.keys = bam().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.make = make_bam_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = bam().tensor_names;
  m.tensor_names.push_back("output_gradient");
  m.settings = bam().settings;
  m.ladder = {
      {"formula", "the equations in xtensor", bam_backward_formula, bam_backward_formula_workspace, {}, false},
      {"loops",
       "both branches' gradients, then all maps': plain loops",
       bam_backward_loops,
       bam_backward_passes_workspace,
       {},
       false},
      {"openmp", "parts of the images, then maps shared among the threads", bam_backward_openmp,
       bam_backward_passes_workspace},
      {"simd", "vectors, taps as distances, gates as products", bam_backward_simd, bam_backward_simd_workspace},
      {"streamed", "image by image, the gradient past the caches", bam_backward_streamed,
       bam_backward_streamed_workspace},
  };
  return m;
}

}  // namespace

const BamBackward& bam_backward() {
  static const BamBackward description = describe();
  return description;
}

ladder::MechanismPtr bam_backward_mechanism() { return ladder::publish(bam_backward()); }

}  // namespace attention::convolutional
