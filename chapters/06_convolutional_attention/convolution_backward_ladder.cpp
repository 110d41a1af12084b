// The ladder of the convolution's backward pass, and how far rounding alone may move its gradients.
#include <limits>

#include "convolution_backward.hpp"
#include "feature_maps.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/convolution_backward_rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const ConvolutionBackwardProblem& p) { return convolution().shape_of(p); }

double footprint(const ladder::Shape& s) {
  const double in = number(s["in_channels"]);
  const double out = number(s["out_channels"]);
  return 4 * (number(s["batch"]) * number(s["height"]) * number(s["width"]) * (2 * in + out) +
              out * (2 * in * number(s["kernel"]) * number(s["kernel"]) + 1));
}

std::vector<ladder::Field> fields(const ConvolutionBackwardOutput& out) {
  const Index images = tensor::extent(out.input_gradient, 0);
  const Index in = tensor::extent(out.input_gradient, 1);
  const Index kernels = tensor::extent(out.weight_gradient, 0);
  return {ladder::field("input_gradient", out.input_gradient, images, in,
                        static_cast<Index>(out.input_gradient.size()) / std::max<Index>(images * in, 1)),
          ladder::field("weight_gradient", out.weight_gradient, 1, kernels,
                        static_cast<Index>(out.weight_gradient.size()) / std::max<Index>(kernels, 1)),
          ladder::field("bias_gradient", out.bias_gradient, 1, 1, kernels)};
}

/// Every gradient is a sum of products of numbers that are given: each addition rounds in proportion to the sum so far,
/// one chain over all terms at worst. To this come numbers too small for float32's full precision.
std::vector<ladder::ReferenceField> reference_fields(const ConvolutionBackwardProblem& p,
                                                     const ConvolutionBackwardReference& r, const ladder::Blocks&) {
  const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double windows = number(p.out_channels() * p.kernel() * p.kernel());
  const double places = number(p.batch() * p.pixels());
  const auto bound = [smallest](double sums, double terms) {
    return sums * numerics::sum_error(terms) + terms * smallest;
  };
  return {
      ladder::reference_field("input_gradient", r.input_gradient, p.batch(), p.in_channels(), p.pixels(),
                              bound(r.input_sums, windows)),
      ladder::reference_field("weight_gradient", r.weight_gradient, 1, p.out_channels(), p.depth(),
                              bound(r.weight_sums, places)),
      ladder::reference_field("bias_gradient", r.bias_gradient, 1, 1, p.out_channels(), bound(r.bias_sums, places))};
}

std::vector<ladder::NamedTensor> tensors(const ConvolutionBackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = convolution().tensors(p);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// As forward's tensors, then output_gradient, [height, width] up to [batch, out_channels, height, width].
ConvolutionBackwardProblem from_inputs(const ladder::Inputs& inputs) {
  ConvolutionBackwardProblem p{convolution().from_inputs(inputs.first(3)), inputs.tensor<4>(3, 2)};
  const auto& g = p.output_gradient;
  require_equal("output_gradient", "images", tensor::extent(g, 0), "the input", p.batch());
  require_equal("output_gradient", "channels", tensor::extent(g, 1), "the weight", p.out_channels());
  require_equal("output_gradient", "rows", tensor::extent(g, 2), "the input", p.height());
  require_equal("output_gradient", "columns", tensor::extent(g, 3), "the input", p.width());
  return p;
}

ConvolutionBackward describe() {
  ConvolutionBackward m;
  m.name = "convolution_backward";
  m.title = "Convolution, backward";
  m.citation = "the chain rule through LeCun et al. 1989; Dumoulin and Visin 2016, section 4";
  m.chapter = "06_convolutional_attention";
  m.keys = convolution().keys;
  m.standard_shapes = {{"64x56x56-k3", "in_channels=64,out_channels=64,height=56,kernel=3", true},
                       {"8x64x56x56-k3", "batch=8,in_channels=64,out_channels=64,height=56,kernel=3", false, true},
                       {"256x14x14-k1", "in_channels=256,out_channels=128,height=14,kernel=1", false, true}};
  m.tile_edges = {simd::tile_rows, 2 * simd::tile_rows};
  m.make = make_convolution_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight", "bias", "output_gradient"};
  m.settings = convolution().settings;
  m.ladder = {
      {"formula",
       "a shifted image and a shifted G a tap, in xtensor",
       convolution_backward_formula,
       convolution_backward_formula_workspace,
       {},
       false},
      {"loops",
       "gradient by gradient, the borders copied in",
       convolution_backward_loops,
       convolution_backward_padded_workspace,
       {},
       false},
      {"openmp", "each thread owns planes and kernels", convolution_backward_openmp,
       convolution_backward_padded_workspace},
      {"channels_last", "the kernels of a training, partial sums of the weights", convolution_backward_channels_last,
       convolution_backward_channels_last_workspace},
  };
  return m;
}

}  // namespace

const ConvolutionBackward& convolution_backward() {
  static const ConvolutionBackward description = describe();
  return description;
}

ladder::MechanismPtr convolution_backward_mechanism() { return ladder::publish(convolution_backward()); }

}  // namespace attention::convolutional
