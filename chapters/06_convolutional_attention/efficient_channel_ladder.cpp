// The table of rungs, and what those who walk the ladder need to know of efficient channel attention.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "efficient_channel.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/efficient_channel_rungs.hpp"
#include "rungs/map.hpp"

namespace attention::convolutional {

namespace {

using ladder::named;
using ladder::number;
using numerics::chain;
using numerics::largest_finite;

ladder::Shape shape_of(const EfficientChannelProblem& p) {
  auto sizes = map_sizes(p);
  sizes.emplace_back("kernel", p.kernel());
  return ladder::Shape(sizes);
}

double footprint(const ladder::Shape& s) {
  return 4 * (2 * map_elements(s) + number(s["batch"]) * number(s["channels"]) + number(s["kernel"]));
}

std::vector<ladder::Field> fields(const GatedMaps& out) {
  return {image_field("output", out.output), image_field("gate", out.gate)};
}

/// As for squeeze-and-excitation, with one row of weights.
std::vector<ladder::ReferenceField> reference_fields(const EfficientChannelProblem& p, const EfficientChannelReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double places = number(p.places());
  double squares = 0;
  for (const float w : p.weight)
    if (std::isfinite(w)) squares += static_cast<double>(w) * static_cast<double>(w);
  const double mean_error = r.pool_sums / places * (sum_error(chain(places, blocks.values)) + 2 * unit_roundoff);
  const double argument_error = std::sqrt(squares) * mean_error + r.gate_sums * sum_error(number(p.kernel()) + 1);
  const double gate_error = sigmoid_error(r.largest_slope, argument_error);
  const double smallest = static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {image_reference("output", r.output, largest_finite(p.input) * (gate_error + unit_roundoff) + smallest),
          image_reference("gate", r.gate, gate_error)};
}

std::vector<ladder::NamedTensor> tensors(const EfficientChannelProblem& p) {
  return {named("input", p.input), named("weight", p.weight)};
}

/// input [height, width] up to [batch, channels, height, width]; weight [kernel].
EfficientChannelProblem from_inputs(const ladder::Inputs& inputs) {
  EfficientChannelProblem p{{inputs.tensor<4>(0, 2)}, inputs.tensor<1>(1, 1)};
  if (p.kernel() % 2 == 0)
    throw program::UserError(fmt::format("weight: it has {} entries, which is even; a kernel with a middle is odd", p.kernel()));
  return p;
}

EfficientChannel describe() {
  EfficientChannel m;
  m.name = "efficient_channel";
  m.title = "Efficient channel attention";
  m.citation = "Wang et al. 2020, ECA-Net, equations 7 and 12";
  m.chapter = "06_convolutional_attention";
  m.keys = map_keys();
  m.keys.push_back({"kernel", "neighbouring channels that a gate sees, odd; 0: by the paper's rule", 0, "", 0, {1, 3, 5, 9}});
  // An image fits in the second-level cache. Timed runs go round over copies that together fit in no cache.
  m.standard_shapes = {{"16x64x56x56", "batch=16,channels=64,height=56", true}};
  // Over the sizes it grows as squeeze-and-excitation does, whose passes it makes: measured there.
  m.tile_edges = {};
  m.make = make_efficient_channel;
  m.shape_of = shape_of;
  m.prepare = [](const EfficientChannelProblem& p, GatedMaps& out) { prepare(p, out); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const EfficientChannelProblem& p) { return p.batch(); };
  m.take_rows = take_images;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "weight"};

  // The last column: after so many places a sum starts anew (0: never).
  constexpr ladder::Blocks vectors{0, map_sum_block};
  m.ladder = {
      {"formula", "the equations in xtensor", efficient_channel_formula, efficient_channel_workspace, {}, false},
      {"loops", "all means, all gates, all products: plain loops", efficient_channel_loops, efficient_channel_workspace, {}, false},
      {"openmp", "maps shared among the threads", efficient_channel_openmp, efficient_channel_workspace},
      {"simd", "vector sums, four at a time", efficient_channel_simd, efficient_channel_workspace, vectors},
      {"tiled", "image by image, while it is in the cache", efficient_channel_tiled, efficient_channel_tiled_workspace, vectors},
      {"streamed", "the output past the caches", efficient_channel_streamed, efficient_channel_tiled_workspace, vectors},
      {"ahead", "the next image read while this one is written", efficient_channel_ahead, efficient_channel_tiled_workspace, vectors},
  };
  return m;
}

}  // namespace

const EfficientChannel& efficient_channel() {
  static const EfficientChannel description = describe();
  return description;
}

ladder::MechanismPtr efficient_channel_mechanism() { return ladder::publish(efficient_channel()); }

}  // namespace attention::convolutional
