// The ladder of the non-local block's backward pass.
#include <fmt/format.h>

#include "feature_maps.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "non_local_backward.hpp"
#include "rungs/non_local_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const NonLocalBackwardProblem& p) { return non_local().shape_of(p.forward); }

double footprint(const ladder::Shape& s) {
  const double places = number(s["batch"]) * number(s["height"]) * number(s["width"]);
  const double channels = number(s["channels"]);
  return 4 * (places * (3 * channels + 2.5 * (channels + 1) + 1) + 4 * channels * (channels + 1));
}

std::vector<ladder::Field> fields(const NonLocalBackwardOutput& out) {
  const auto weight = [](const char* name, const Tensor<2>& t) {
    return ladder::field(name, t, 1, tensor::extent(t, 0), tensor::extent(t, 1));
  };
  const Tensor<4>& x = out.input;
  return {ladder::field("input_gradient", x, tensor::extent(x, 0), tensor::extent(x, 1),
                        tensor::extent(x, 2) * tensor::extent(x, 3)),
          weight("theta_gradient", out.theta), weight("phi_gradient", out.phi), weight("g_gradient", out.g),
          weight("out_weight_gradient", out.out_weight)};
}

/// The reference has followed the roundings on their way: running_error.hpp.
std::vector<ladder::ReferenceField> reference_fields(const NonLocalBackwardProblem& p,
                                                     const NonLocalBackwardReference& r, const ladder::Blocks&) {
  const auto weight = [](const char* name, const TensorOf<double, 2>& t, double bound) {
    return ladder::reference_field(name, t, 1, tensor::extent(t, 0), tensor::extent(t, 1), bound);
  };
  return {ladder::reference_field("input_gradient", r.input, p.forward.batch(), p.forward.channels(),
                                  p.forward.positions(), r.errors[0]),
          weight("theta_gradient", r.theta, r.errors[1]), weight("phi_gradient", r.phi, r.errors[2]),
          weight("g_gradient", r.g, r.errors[3]), weight("out_weight_gradient", r.out_weight, r.errors[4])};
}

std::vector<ladder::NamedTensor> tensors(const NonLocalBackwardProblem& p) {
  auto all = non_local().tensors(p.forward);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward's tensors and the output's gradient; forward is run.
NonLocalBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  NonLocalBackwardProblem p;
  p.forward = non_local().from_inputs(inputs.first(inputs.size() - 1));
  p.output_gradient = output_gradient_of(inputs, p.forward.input);
  run_forward(p);
  return p;
}

NonLocalBackward describe() {
  NonLocalBackward m;
  m.name = "non_local_backward";
  m.title = "Non-local block, backward";
  m.citation =
      "the chain rule through Wang et al. 2018, equations 1 and 6; between the products, Dao et al. 2022, appendix B.2";
  m.chapter = "06_convolutional_attention";
  m.keys = non_local().keys;
  m.standard_shapes = {{"64x28x28", "channels=64,height=28", true}, {"64x40x40", "channels=64,height=40", false, true}};
  m.sweeps = {{"size", {"height", "width"}, {8, 16, 24}, "channels=32"}};
  m.make = make_non_local_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = non_local().tensor_names;
  m.tensor_names.push_back("output_gradient");
  m.ladder = {
      {"formula",
       "the equations in xtensor",
       non_local_backward_formula,
       non_local_backward_formula_workspace,
       {},
       false},
      {"loops",
       "plain loops, chapter 2's in the middle",
       non_local_backward_loops,
       non_local_backward_loops_workspace,
       {},
       false},
      {"openmp", "each thread has channels of its own", non_local_backward_openmp, non_local_backward_openmp_workspace},
      {"fused", "register-blocked products, chapter 2's top rung", non_local_backward_fused,
       non_local_backward_fused_workspace},
  };
  return m;
}

}  // namespace

const NonLocalBackward& non_local_backward() {
  static const NonLocalBackward description = describe();
  return description;
}

ladder::MechanismPtr non_local_backward_mechanism() { return ladder::publish(non_local_backward()); }

}  // namespace attention::convolutional
