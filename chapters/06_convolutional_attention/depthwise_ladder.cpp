// The table of rungs, and what those who walk the ladder need to know of the depthwise convolution.
#include <fmt/format.h>

#include <limits>

#include "depthwise.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/depthwise_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const DepthwiseProblem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"channels", p.channels()},
                        {"height", p.height()},
                        {"width", p.width()},
                        {"kernel", p.kernel()}});
}

double footprint(const ladder::Shape& s) {
  const double channels = number(s["channels"]);
  return 4 * (2 * number(s["batch"]) * channels * number(s["height"]) * number(s["width"]) +
              channels * (number(s["kernel"]) * number(s["kernel"]) + 1));
}

std::vector<ladder::Field> fields(const ConvolutionOutput& out) {
  const auto& o = out.output;
  return {ladder::field("output", o, tensor::extent(o, 0), tensor::extent(o, 1),
                        tensor::extent(o, 2) * tensor::extent(o, 3))};
}

/// One chain of a few terms and the bias; to this come numbers too small for float32's full precision.
std::vector<ladder::ReferenceField> reference_fields(const DepthwiseProblem& p, const ConvolutionReference& r,
                                                     const ladder::Blocks&) {
  const double terms = number(p.taps());
  const double bound =
      r.sums * numerics::sum_error(terms + 1) + terms * static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {ladder::reference_field("output", r.output, p.batch(), tensor::extent(r.output, 1), p.pixels(), bound)};
}

std::vector<ladder::NamedTensor> tensors(const DepthwiseProblem& p) {
  using ladder::named;
  return {named("input", p.input), named("weight", p.weight), named("bias", p.bias)};
}

/// input [height, width] up to [batch, channels, height, width]; weight [kernel, kernel] or [channels, kernel, kernel];
/// bias [channels].
DepthwiseProblem from_inputs(const ladder::Inputs& inputs) {
  DepthwiseProblem p{inputs.tensor<4>(0, 2), inputs.tensor<3>(1, 2),
                     inputs.tensor<1>(2, 1)};
  const auto same = [](const char* what, Index x, Index y) {
    if (x != y) throw program::UserError(fmt::format("{}: {} and {}; they must be equal", what, x, y));
  };
  same("channels of input and weight", p.channels(), tensor::extent(p.weight, 0));
  same("sides of the kernel", p.kernel(), tensor::extent(p.weight, 2));
  same("channels of weight and bias", p.channels(), tensor::extent(p.bias, 0));
  if (p.kernel() % 2 == 0)
    throw program::UserError(
        fmt::format("weight: the kernel's side is {}, which is even; a kernel with a middle is odd", p.kernel()));
  return p;
}

Depthwise describe() {
  Depthwise m;
  m.name = "depthwise";
  m.title = "Depthwise convolution";
  m.citation = "Howard et al. 2017, MobileNets, equation 3";
  m.chapter = "06_convolutional_attention";
  m.keys = {{"batch", "images", 1, "", 1, {1, 2, 3}},
            {"channels", "channels of the image, each with a kernel of its own", 64, "", 1, {1, 2, 3, 5, 17}},
            {"height", "rows of an image", 28, "", 1, {1, 2, 3, 4, 5, 7, 16, 33, 61, 130}},
            {"width", "columns of an image", 28, "height", 1, {1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 47, 130, 300}},
            {"kernel", "side of the square kernel, odd", 3, "", 1, {1, 3, 5, 7, 9, 11}}};
  // MobileNet's second and second last size. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"8x128x56x56-k3", "batch=8,channels=128,height=56,kernel=3", true},
                       {"8x128x56x56-k5", "batch=8,channels=128,height=56,kernel=5"},
                       {"8x512x14x14-k3", "batch=8,channels=512,height=14,kernel=3"}};
  m.sweeps = {{"kernel", {"kernel"}, {1, 3, 5, 7, 9, 11}, "batch=4,channels=64,height=56"}};
  m.make = make_depthwise;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const DepthwiseProblem& p) { return p.channels(); };
  m.take_rows = take_channels;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight", "bias"};

  m.ladder = {
      {"formula", "one shifted image a tap, in xtensor", depthwise_formula, depthwise_formula_workspace, {}, false},
      {"loops", "six plain loops, plane by plane", depthwise_loops, depthwise_loops_workspace, {}, false},
      {"openmp", "planes shared among the threads", depthwise_openmp, depthwise_openmp_workspace},
      {"simd", "vectors of pixels, the convolution's own rung 5", depthwise_simd, depthwise_simd_workspace},
      {"tiled", "four rows at once: a pixel is loaded for all that see it", depthwise_tiled, depthwise_tiled_workspace},
      {"streamed", "the output past the caches", depthwise_streamed, depthwise_tiled_workspace},
  };
  return m;
}

}  // namespace

const Depthwise& depthwise() {
  static const Depthwise description = describe();
  return description;
}

ladder::MechanismPtr depthwise_mechanism() { return ladder::publish(depthwise()); }

}  // namespace attention::convolutional
