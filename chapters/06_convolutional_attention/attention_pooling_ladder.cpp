// The table of rungs, and what those who walk the ladder need to know of attention pooling.
#include <algorithm>
#include <cmath>
#include <limits>

#include "attention_pooling.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::chain;
using numerics::largest_finite;

ladder::Shape shape_of(const AttentionPoolingProblem& p) { return ladder::Shape(map_sizes(p)); }

double footprint(const ladder::Shape& s) {
  return 4 * (map_elements(s) + number(s["batch"]) * (number(s["channels"]) + number(s["height"]) * number(s["width"])) +
              number(s["channels"]));
}

std::vector<ladder::Field> fields(const AttentionPoolingOutput& out) {
  return {image_field("output", out.output), image_field("weights", out.weights)};
}

/// An error of a score is a relative error of its weight. An error ε_p of a weight's logarithm moves y by a_p ε_p (x_p − y), at most
/// 2 |x|; the errors of different places are independent, so their squares add: the concentration. The exponential itself is off
/// by a few roundings and, far from the largest score, by a rounding of its argument; then the sums round.
std::vector<ladder::ReferenceField> reference_fields(const AttentionPoolingProblem& p, const AttentionPoolingReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double score_error = r.score_sums * sum_error(number(p.channels()));
  const double exp_error = 4 * unit_roundoff;
  // a · e^−a has its largest value 1/e where a = 1: so far does the rounding of an argument −a reach, times the weight of a place
  // that has the largest score. Beyond 30 the argument's rounding counts, but e^−30 does not.
  const double logarithm_error = score_error + exp_error + unit_roundoff * std::min(r.scores, 30.0);
  const double over_places = sum_error(chain(number(p.places()), blocks.values) + 2);
  const double output_error = 2 * largest_finite(p.input) * r.concentration * logarithm_error + r.output_sums * (2 * over_places + exp_error);
  const double smallest = number(p.places()) * static_cast<double>(std::numeric_limits<float>::denorm_min());
  // Weights below 2^−126 are 0 where the exponential is a vector function.
  const double vanished = number(p.places()) * largest_finite(p.input) * static_cast<double>(std::numeric_limits<float>::min());
  const double weight_error = largest_finite(r.weights) * (2 * logarithm_error + over_places + exp_error);
  return {image_reference("output", r.output, output_error + smallest + vanished),
          image_reference("weights", r.weights, weight_error + static_cast<double>(std::numeric_limits<float>::min()))};
}

std::vector<ladder::NamedTensor> tensors(const AttentionPoolingProblem& p) { return {named("input", p.input), named("weight", p.weight)}; }

/// input [height, width] up to [batch, channels, height, width]; weight [channels].
AttentionPoolingProblem from_inputs(const ladder::Inputs& inputs) {
  AttentionPoolingProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<1>(1, 1)};
  require_equal("weight", "entries", tensor::extent(p.weight, 0), "the input's channels", p.channels());
  return p;
}

AttentionPooling describe() {
  AttentionPooling m;
  m.name = "attention_pooling";
  m.title = "Attention pooling of a feature map";
  m.citation = "Cao et al. 2019, GCNet, equation 4; Yang et al. 2016, equations 6 and 7";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  m.sweeps = {{"size", {"height", "width"}, {14, 28, 56}, "channels=64"}};
  m.tile_edges = {};
  m.make = make_attention_pooling;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const AttentionPoolingProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight"};

  // The last column: after so many places a sum starts anew (0: never).
  m.ladder = {
      {"formula", "the equations in xtensor", attention_pooling_formula, attention_pooling_formula_workspace, {}, false},
      {"loops", "all weights, then all means: plain loops", attention_pooling_loops, nullptr, {}, false},
      {"openmp", "images and maps shared among the threads", attention_pooling_openmp, nullptr},
      {"simd", "vector scores, vector exp, four chains", attention_pooling_simd, nullptr, {0, map_sum_block}},
      {"tiled", "image by image, while it is in the cache", attention_pooling_tiled, nullptr, {0, map_sum_block}},
      {"online", "one pass: softmax corrected as it goes", attention_pooling_online, attention_pooling_online_workspace, {0, map_sum_block}},
  };
  return m;
}

}  // namespace

const AttentionPooling& attention_pooling() {
  static const AttentionPooling description = describe();
  return description;
}

ladder::MechanismPtr attention_pooling_mechanism() { return ladder::publish(attention_pooling()); }

}  // namespace attention::convolutional
