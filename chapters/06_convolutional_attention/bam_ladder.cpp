// The table of rungs, and what those who walk the ladder need to know of the bottleneck attention module.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bam.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/bam_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::chain;
using numerics::largest_finite;

ladder::Shape shape_of(const BamProblem& p) {
  auto sizes = map_sizes(p);
  sizes.emplace_back("reduction", p.reduction);
  sizes.emplace_back("dilation", p.dilation);
  return ladder::Shape(sizes);
}

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) + number(s["batch"]) * (number(s["channels"]) + number(s["height"]) * number(s["width"])) +
              number(bam_parameters(s["channels"], s["reduction"])));
}

std::vector<ladder::Field> fields(const BamOutput& out) {
  return {image_field("output", out.output), image_field("channel_branch", out.channel_branch),
          image_field("spatial_branch", out.spatial_branch)};
}

/// Largest root of the sum of squares of one output's weights.
double largest_output_norm(const BamLayer& layer) {
  const auto terms = static_cast<Index>(layer.weight.size()) / layer.outputs();
  auto rows = tensor::empty<2>({static_cast<std::size_t>(layer.outputs()), static_cast<std::size_t>(terms)});
  std::ranges::copy(layer.weight, rows.begin());
  return largest_row_norm(rows);
}

/// What rounding explains. Each layer passes the errors of its inputs on, which are independent, by the root of its weights'
/// squares, and adds the roundings of its own sums; a ReLU makes no error larger. The two branches' errors add up to the error of
/// the sigmoid's argument, and so does the rounding of e^−(a + b), however it is made: in proportion to |a| + |b|. That error
/// moves F′ by the slope times |F|; a sigmoid's slope grows by e^δ at most over a distance δ.
std::vector<ladder::ReferenceField> reference_fields(const BamProblem& p, const BamReference& r, const ladder::Blocks& blocks) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double places = number(p.places());
  const double mean_error = r.pool_sums / places * (sum_error(chain(places, blocks.values)) + 2 * unit_roundoff);
  const double hidden_error = largest_row_norm(p.reduce_weight) * mean_error + r.hidden_sums * sum_error(number(p.channels()) + 1);
  const double channel_error = largest_row_norm(p.expand_weight) * hidden_error + r.channel_sums * sum_error(number(p.hidden()) + 1);
  double spatial_error = 0;
  for (std::size_t layer = 0; layer < p.spatial.size(); ++layer) {
    const double terms = number(static_cast<Index>(p.spatial[layer].weight.size()) / p.spatial[layer].outputs());
    spatial_error = largest_output_norm(p.spatial[layer]) * spatial_error + r.layer_sums[layer] * sum_error(terms + 1);
  }
  const double smallest = 4 * static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double argument_error = channel_error + spatial_error + 2 * unit_roundoff * (r.channel_sums + r.layer_sums.back());
  const double largest = largest_finite(p.input);
  const double moved = r.moves * std::exp(std::min(argument_error, 50.0)) * argument_error;
  const double output_error = std::min(moved, largest * sigmoid_error(r.slope, argument_error)) + largest * 10 * unit_roundoff;
  return {image_reference("output", r.output, output_error + smallest),
          image_reference("channel_branch", r.channel_branch, channel_error + smallest),
          image_reference("spatial_branch", r.spatial_branch, spatial_error + smallest)};
}

/// The names of f₀ to f₃, weights and biases.
constexpr const char* layer_weights[] = {"mix_weight", "first_weight", "second_weight", "last_weight"};
constexpr const char* layer_biases[] = {"mix_bias", "first_bias", "second_bias", "last_bias"};

std::vector<ladder::NamedTensor> tensors(const BamProblem& p) {
  std::vector<ladder::NamedTensor> all{named("input", p.input), named("reduce_weight", p.reduce_weight),
                                       named("reduce_bias", p.reduce_bias), named("expand_weight", p.expand_weight),
                                       named("expand_bias", p.expand_bias)};
  for (std::size_t layer = 0; layer < p.spatial.size(); ++layer) {
    all.push_back(named(layer_weights[layer], p.spatial[layer].weight));
    all.push_back(named(layer_biases[layer], p.spatial[layer].bias));
  }
  return all;
}

/// input [height, width] up to [batch, channels, height, width]; the channel branch's matrices and vectors; of each layer of the
/// spatial branch the weights [outputs, inputs, kernel, kernel] and the bias. The dilation is the paper's, 4.
BamProblem from_inputs(const ladder::Inputs& inputs) {
  BamProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<2>(1, 2), inputs.tensor<1>(2, 1),
               inputs.tensor<2>(3, 2), inputs.tensor<1>(4, 1)};
  require_equal("reduce_weight", "columns", tensor::extent(p.reduce_weight, 1), "the input's channels", p.channels());
  require_equal("reduce_bias", "entries", tensor::extent(p.reduce_bias, 0), "reduce_weight's rows", p.hidden());
  require_equal("expand_weight", "rows", tensor::extent(p.expand_weight, 0), "the input's channels", p.channels());
  require_equal("expand_weight", "columns", tensor::extent(p.expand_weight, 1), "reduce_weight's rows", p.hidden());
  require_equal("expand_bias", "entries", tensor::extent(p.expand_bias, 0), "the input's channels", p.channels());
  for (std::size_t i = 0; i < p.spatial.size(); ++i) {
    BamLayer& layer = p.spatial[i];
    layer.weight = inputs.tensor<4>(5 + 2 * i, 4);
    layer.bias = inputs.tensor<1>(6 + 2 * i, 1);
    const bool dilated = i == 1 || i == 2;
    require_equal(layer_weights[i], "outputs", layer.outputs(), i == 3 ? "a map of factors" : "reduce_weight", i == 3 ? 1 : p.hidden());
    require_equal(layer_weights[i], "inputs", layer.inputs(), "what it is given", i == 0 ? p.channels() : p.hidden());
    require_equal(layer_weights[i], "rows of its kernel", layer.kernel(), "the paper's kernel", dilated ? 3 : 1);
    require_equal(layer_weights[i], "columns of its kernel", tensor::extent(layer.weight, 3), "the paper's kernel", dilated ? 3 : 1);
    require_equal(layer_biases[i], "entries", tensor::extent(layer.bias, 0), "its layer's outputs", layer.outputs());
  }
  p.reduction = std::max<Index>(p.channels() / p.hidden(), 1);
  p.dilation = inputs.whole_setting("dilation", p.dilation);
  return p;
}

Bam describe() {
  Bam m;
  m.name = "bam";
  m.title = "Bottleneck attention module (BAM)";
  m.citation = "Park et al. 2018, BAM, equations 1 to 4";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  m.keys.push_back({"reduction", "channels to one hidden unit", 16, "", 1, {1, 2, 16}});
  m.keys.push_back({"dilation", "places from tap to tap of the 3 x 3 convolutions", 4, "", 1, {1, 2, 4}});
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.tile_edges = {};
  m.make = make_bam;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const BamProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "reduce_weight", "reduce_bias", "expand_weight", "expand_bias"};
  m.settings = {{"dilation", "places from tap to tap of the middle layers", 1, 1e6, true, "4"}};
  for (std::size_t layer = 0; layer < 4; ++layer) {
    m.tensor_names.push_back(layer_weights[layer]);
    m.tensor_names.push_back(layer_biases[layer]);
  }

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, bam_sum_block};
  m.ladder = {
      {"formula", "the equations in xtensor", bam_formula, bam_formula_workspace, {}, false},
      {"loops", "pass after pass over the batch, plain loops", bam_loops, bam_passes_workspace, {}, false},
      {"openmp", "maps and images shared among the threads", bam_openmp, bam_passes_workspace},
      {"simd", "vectors, the convolution's own rung 5", bam_simd, bam_passes_workspace, vectors},
      {"tiled", "image by image, while it is in the cache", bam_tiled, bam_image_workspace, vectors},
      {"streamed", "one read for both branches, the output past the caches", bam_streamed, bam_image_workspace, vectors},
      {"factored", "e^-(a+b) as a product: no exp for an element", bam_factored, bam_image_workspace, vectors},
      {"ahead", "the next image asked for beside this one's work", bam_ahead, bam_image_workspace, vectors},
  };
  return m;
}

}  // namespace

const Bam& bam() {
  static const Bam description = describe();
  return description;
}

ladder::MechanismPtr bam_mechanism() { return ladder::publish(bam()); }

}  // namespace attention::convolutional
