// The table of rungs, and what those who walk the ladder need to know of the convolution.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "convolution.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/convolution_rungs.hpp"
#include "rungs/winograd_transforms.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const ConvolutionProblem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"in_channels", p.in_channels()},
                        {"out_channels", p.out_channels()},
                        {"height", p.height()},
                        {"width", p.width()},
                        {"kernel", p.kernel()},
                        {"dilation", p.dilation}});
}

double footprint(const ladder::Shape& s) {
  const double in = number(s["in_channels"]);
  const double out = number(s["out_channels"]);
  return 4 * (number(s["batch"]) * number(s["height"]) * number(s["width"]) * (in + out) +
              out * (in * number(s["kernel"]) * number(s["kernel"]) + 1));
}

std::vector<ladder::Field> fields(const ConvolutionOutput& out) {
  const auto& o = out.output;
  return {ladder::field("output", o, tensor::extent(o, 0), tensor::extent(o, 1), tensor::extent(o, 2) * tensor::extent(o, 3))};
}

/// A term goes through the additions of its block, and one for each block; every addition rounds in proportion to the sum so
/// far. `blocks.scores` is the length at which a rung aims; whole input channels make a block of it shorter, but by less than
/// half, and never shorter than one channel. To this come numbers too small for float32's full precision.
std::vector<ladder::ReferenceField> reference_fields(const ConvolutionProblem& p, const ConvolutionReference& r,
                                                     const ladder::Blocks& blocks) {
  const double terms = number(p.depth());
  const double aimed = blocks.scores;
  const double block = std::max(aimed, number(p.kernel() * p.kernel()));
  double chain = aimed > 0 ? std::min(block + 2 * terms / aimed + 1, terms) : terms;
  // Winograd's sums are over the channels alone, in another basis, where each error is larger by `growth`.
  if (blocks.growth > 1) chain = numerics::chain(number(p.in_channels()), number(winograd_terms)) + winograd_additions;
  // One addition more for the bias.
  const double bound = blocks.growth * r.sums * numerics::sum_error(chain + 1) + terms * static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {ladder::reference_field("output", r.output, p.batch(), tensor::extent(r.output, 1), p.pixels(), bound)};
}

std::vector<ladder::NamedTensor> tensors(const ConvolutionProblem& p) {
  using ladder::named;
  return {named("input", p.input), named("weight", p.weight), named("bias", p.bias)};
}

/// input [height, width] up to [batch, channels, height, width]; weight likewise, with the kernel last; bias [out_channels]. No dilation.
ConvolutionProblem from_inputs(const ladder::Inputs& inputs) {
  ConvolutionProblem p{inputs.tensor<4>(0, 2), inputs.tensor<4>(1, 2),
                       inputs.tensor<1>(2, 1), inputs.whole_setting("dilation", 1)};
  const auto same = [](const char* what, Index x, Index y) {
    if (x != y) throw program::UserError(fmt::format("{}: {} and {}; they must be equal", what, x, y));
  };
  same("channels of input and weight", p.in_channels(), tensor::extent(p.weight, 1));
  same("sides of the kernel", p.kernel(), tensor::extent(p.weight, 3));
  same("output channels of weight and bias", p.out_channels(), tensor::extent(p.bias, 0));
  if (p.kernel() % 2 == 0)
    throw program::UserError(fmt::format("weight: the kernel's side is {}, which is even; a kernel with a middle is odd", p.kernel()));
  return p;
}

Convolution describe() {
  Convolution m;
  m.name = "convolution";
  m.title = "Convolution";
  m.citation = "LeCun et al. 1989; as in Dumoulin and Visin 2016, section 2";
  m.chapter = "06_convolutional_attention";
  m.keys = {{"batch", "images", 1, "", 1, {1, 2}},
            {"in_channels", "channels of the input", 64, "", 1, {1, 2, 3, 17, 64}},
            {"out_channels", "channels of the output", 64, "", 1, {1, 2, 3, 4, 5, 7, 12, 13, 33, 64}},
            {"height", "rows of an image", 28, "", 1, {1, 2, 3, 7, 16, 17, 33, 61}},
            {"width", "columns of an image", 28, "height", 1, {1, 2, 3, 7, 16, 17, 33, 130}},
            {"kernel", "side of the square kernel, odd", 3, "", 1, {1, 3, 5, 7}},
            {"dilation", "pixels from tap to tap", 1, "", 1, {1, 2, 4}}};
  m.standard_shapes = {{"64x56x56-k3", "in_channels=64,out_channels=64,height=56,kernel=3", true},
                       {"8x64x56x56-k3", "batch=8,in_channels=64,out_channels=64,height=56,kernel=3"},
                       {"64x28x28-k3", "in_channels=64,out_channels=64,height=28,kernel=3"},
                       {"256x14x14-k1", "in_channels=256,out_channels=128,height=14,kernel=1"},
                       {"2to1-k7", "batch=4,in_channels=2,out_channels=1,height=56,kernel=7"}};
  m.sweeps = {{"size", {"height", "width"}, {7, 14, 28, 56}, "in_channels=32,out_channels=32,kernel=3"},
              {"kernel", {"kernel"}, {1, 3, 5, 7}, "in_channels=16,out_channels=16,height=28"}};
  m.tile_edges = {simd::tile_rows, 2 * simd::tile_rows};
  m.make = make_convolution;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const ConvolutionProblem& p) { return p.out_channels(); };
  m.take_rows = take_out_channels;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight", "bias"};
  m.settings = {{"dilation", "pixels from tap to tap", 1, 1e6, true, "1"}};

  // The last column: after so many terms a sum starts anew (0: never).
  m.ladder = {
      {"formula", "one shifted image a tap, in xtensor", convolution_formula, convolution_formula_workspace, {}, false},
      {"loops", "seven plain loops, the border copied in", convolution_loops, convolution_padded_workspace, {}, false},
      {"openmp", "output planes shared among the threads", convolution_openmp, convolution_padded_workspace},
      {"im2col", "patches as a matrix, one matrix product", convolution_im2col, convolution_im2col_workspace, {16, 0}},
      {"tiled", "register tiles straight from the image", convolution_tiled, convolution_tiled_workspace,
       {number(convolution_tiled_terms), 0}},
      {"channels_last", "turned so that a vector holds channels", convolution_channels_last, convolution_channels_last_workspace},
  };
  const auto add_variant = [&m](const char* name, const char* idea, auto run, auto workspace, double growth) {
    auto rung = m.ladder[0];
    rung.name = name;
    rung.idea = idea;
    rung.run = run;
    rung.workspace = workspace;
    rung.blocks = {.growth = growth};
    rung.parallel = true;
    rung.variant = true;
    rung.unable = winograd_unable;
    m.ladder.push_back(rung);
  };
  add_variant("winograd_2", "2 × 2 outputs from 16 products a channel, not 36", convolution_winograd_2, convolution_winograd_2_workspace,
              winograd_growth<2>());
  add_variant("winograd_4", "4 × 4 outputs from 36 products a channel, not 144", convolution_winograd_4, convolution_winograd_4_workspace,
              winograd_growth<4>());
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "im2col and a library product", convolution_openblas, convolution_openblas_workspace, {}, true, true});
#endif
  return m;
}

}  // namespace

const Convolution& convolution() {
  static const Convolution description = describe();
  return description;
}

ladder::MechanismPtr convolution_mechanism() { return ladder::publish(convolution()); }

}  // namespace attention::convolutional
