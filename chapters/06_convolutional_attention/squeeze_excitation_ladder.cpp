// The table of rungs, and what those who walk the ladder need to know of squeeze-and-excitation.
#include <algorithm>
#include <limits>

#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/map.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::chain;
using numerics::largest_finite;

ladder::Shape shape_of(const SqueezeExcitationProblem& p) {
  auto sizes = map_sizes(p);
  sizes.emplace_back("reduction", p.reduction);
  return ladder::Shape(sizes);
}

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) + number(s["batch"]) * number(s["channels"]) +
              number(squeeze_excitation_parameters(s["channels"], s["reduction"])));
}

std::vector<ladder::Field> fields(const GatedMaps& out) {
  return {image_field("output", out.output), image_field("gate", out.gate)};
}

/// Errors of the means are independent: a row of weights adds up their squares. Then the roundings of each sum itself.
std::vector<ladder::ReferenceField> reference_fields(const SqueezeExcitationProblem& p, const SqueezeExcitationReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double places = number(p.places());
  const double mean_error = r.pool_sums / places * (sum_error(chain(places, blocks.values)) + 2 * unit_roundoff);
  const double hidden_error = largest_row_norm(p.reduce_weight) * mean_error + r.hidden_sums * sum_error(number(p.channels()) + 1);
  const double argument_error = largest_row_norm(p.expand_weight) * hidden_error + r.gate_sums * sum_error(number(p.hidden()) + 1);
  const double gate_error = sigmoid_error(r.largest_slope, argument_error);
  const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {image_reference("output", r.output, largest_finite(p.input) * (gate_error + unit_roundoff) + smallest),
          image_reference("gate", r.gate, gate_error)};
}

std::vector<ladder::NamedTensor> tensors(const SqueezeExcitationProblem& p) {
  return {named("input", p.input), named("reduce_weight", p.reduce_weight), named("reduce_bias", p.reduce_bias),
          named("expand_weight", p.expand_weight), named("expand_bias", p.expand_bias)};
}

/// input [height, width] up to [batch, channels, height, width]; the matrices and vectors as they are.
SqueezeExcitationProblem from_inputs(const ladder::Inputs& inputs) {
  SqueezeExcitationProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<2>(1, 2),
                             inputs.tensor<1>(2, 1), inputs.tensor<2>(3, 2),
                             inputs.tensor<1>(4, 1), 16};
  require_equal("reduce_weight", "columns", tensor::extent(p.reduce_weight, 1), "the input's channels", p.channels());
  require_equal("reduce_bias", "entries", tensor::extent(p.reduce_bias, 0), "reduce_weight's rows", p.hidden());
  require_equal("expand_weight", "rows", tensor::extent(p.expand_weight, 0), "the input's channels", p.channels());
  require_equal("expand_weight", "columns", tensor::extent(p.expand_weight, 1), "reduce_weight's rows", p.hidden());
  require_equal("expand_bias", "entries", tensor::extent(p.expand_bias, 0), "the input's channels", p.channels());
  p.reduction = std::max<Index>(p.channels() / p.hidden(), 1);
  return p;
}

SqueezeExcitation describe() {
  SqueezeExcitation m;
  m.name = "squeeze_excitation";
  m.title = "Squeeze-and-excitation";
  m.citation = "Hu, Shen, Sun 2018, Squeeze-and-Excitation Networks, equations 2 to 4";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  m.keys.push_back({"reduction", "channels to one hidden unit", 16, "", 1, {1, 2, 16}});
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.tile_edges = {};
  m.make = make_squeeze_excitation;
  m.shape_of = shape_of;
  m.prepare = [](const SqueezeExcitationProblem& p, GatedMaps& out) { prepare(p, out); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const SqueezeExcitationProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "reduce_weight", "reduce_bias", "expand_weight", "expand_bias"};

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  m.ladder = {
      {"formula", "the equations in xtensor", squeeze_excitation_formula, squeeze_excitation_workspace, {}, false},
      {"loops", "all means, all gates, all products: plain loops", squeeze_excitation_loops, squeeze_excitation_workspace, {}, false},
      {"openmp", "maps shared among the threads", squeeze_excitation_openmp, squeeze_excitation_workspace},
      {"simd", "vector sums, four at a time", squeeze_excitation_simd, squeeze_excitation_workspace, vectors},
      {"tiled", "image by image, while it is in the cache", squeeze_excitation_tiled, squeeze_excitation_tiled_workspace, vectors},
      {"streamed", "the output past the caches", squeeze_excitation_streamed, squeeze_excitation_tiled_workspace, vectors},
      {"ahead", "the next image read while this one is written", squeeze_excitation_ahead, squeeze_excitation_tiled_workspace, vectors},
  };
  return m;
}

}  // namespace

const SqueezeExcitation& squeeze_excitation() {
  static const SqueezeExcitation description = describe();
  return description;
}

ladder::MechanismPtr squeeze_excitation_mechanism() { return ladder::publish(squeeze_excitation()); }

}  // namespace attention::convolutional
