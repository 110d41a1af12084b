// The ladder of attention pooling's backward pass.
#include "attention_pooling_backward.hpp"
#include "ladder/publish.hpp"
#include "rungs/attention_pooling_backward_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const AttentionPoolingBackwardProblem& p) { return attention_pooling().shape_of(p.forward); }

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) +
              number(s["batch"]) * (2 * number(s["channels"]) + number(s["height"]) * number(s["width"])) +
              2 * number(s["channels"]));
}

std::vector<ladder::Field> fields(const AttentionPoolingBackwardOutput& out) {
  return {image_field("input_gradient", out.input),
          ladder::field("weight_gradient", out.weight, 1, 1, tensor::extent(out.weight, 0))};
}

/// The reference has followed the roundings on their way: running_error.hpp.
std::vector<ladder::ReferenceField> reference_fields(const AttentionPoolingBackwardProblem& p,
                                                     const AttentionPoolingBackwardReference& r,
                                                     const ladder::Blocks&) {
  return {image_reference("input_gradient", r.input, r.errors[0]),
          ladder::reference_field("weight_gradient", r.weight, 1, 1, p.forward.channels(), r.errors[1])};
}

std::vector<ladder::NamedTensor> tensors(const AttentionPoolingBackwardProblem& p) {
  auto all = attention_pooling().tensors(p.forward);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward's tensors and the output's gradient, [channels] or [batch, channels]; forward is run.
AttentionPoolingBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  AttentionPoolingBackwardProblem p;
  p.forward = attention_pooling().from_inputs(inputs.first(inputs.size() - 1));
  p.output_gradient = inputs.tensor<2>(inputs.size() - 1, 1);
  require_equal("output_gradient", "images", tensor::extent(p.output_gradient, 0), "the input", p.forward.batch());
  require_equal("output_gradient", "channels", tensor::extent(p.output_gradient, 1), "the input", p.forward.channels());
  run_forward(p);
  return p;
}

AttentionPoolingBackward describe() {
  AttentionPoolingBackward m;
  m.name = "attention_pooling_backward";
  m.title = "Attention pooling of a feature map, backward";
  m.citation = "the chain rule through Cao et al. 2019, GCNet, equation 4; Yang et al. 2016, equations 6 and 7";
  m.chapter = "06_convolutional_attention";
  m.keys = attention_pooling().keys;
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.make = make_attention_pooling_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight", "output_gradient"};
  m.ladder = {
      {"formula",
       "the equations in xtensor",
       attention_pooling_backward_formula,
       attention_pooling_backward_formula_workspace,
       {},
       false},
      {"loops",
       "gradients of all scores, then of all maps: plain loops",
       attention_pooling_backward_loops,
       attention_pooling_backward_passes_workspace,
       {},
       false},
      {"openmp", "images, then channels shared among the threads", attention_pooling_backward_openmp,
       attention_pooling_backward_passes_workspace},
      {"simd", "the same passes by vectors", attention_pooling_backward_simd,
       attention_pooling_backward_passes_workspace},
      {"streamed", "block by block: one read, one write past the caches", attention_pooling_backward_streamed,
       attention_pooling_backward_streamed_workspace},
  };
  return m;
}

}  // namespace

const AttentionPoolingBackward& attention_pooling_backward() {
  static const AttentionPoolingBackward description = describe();
  return description;
}

ladder::MechanismPtr attention_pooling_backward_mechanism() { return ladder::publish(attention_pooling_backward()); }

}  // namespace attention::convolutional
