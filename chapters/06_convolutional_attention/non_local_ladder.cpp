// The table of rungs, and what those who walk the ladder need to know of the non-local block.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "feature_maps.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "non_local.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

namespace {

using ladder::number;

ladder::Shape shape_of(const NonLocalProblem& p) {
  return ladder::Shape({{"batch", p.batch()}, {"channels", p.channels()}, {"height", p.height()}, {"width", p.width()}});
}

double footprint(const ladder::Shape& s) {
  const double channels = number(s["channels"]);
  return 4 * (2 * number(s["batch"]) * number(s["height"]) * number(s["width"]) * channels + 2 * channels * (channels + 1));
}

std::vector<ladder::Field> fields(const NonLocalOutput& out) {
  const Index batch = tensor::extent(out.output, 0);
  const Index positions = tensor::extent(out.output, 2) * tensor::extent(out.output, 3);
  return {ladder::field("output", out.output, batch, tensor::extent(out.output, 1), positions),
          ladder::field("weights", out.weights, batch, positions, positions)};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error).
///   embeddings: sums over the channels, each entry off by its sum's error.
///   score  θ_i · φ_j: the entries' errors are independent, so θ's move it by |φ_j| times an entry's error, φ's by |θ_i| times
///               one; then the sum over `inner` rounds.
///   weight: twice the score's error relatively, and the roundings of exp, of the sum and of the division.
///   z = W_z Σ_j w_ij g_j + x: an error ε_ij of a weight's logarithm moves it by w_ij ε_ij (h_j − W_z y_i) with h_j = W_z g_j, at
///               most 2 |h|. Those that come from φ_j and from the rounding of each score are independent over j, so their
///               squares add: the concentration. That of θ_i is common to the row and is taken in full.
///               g's own errors and the roundings of each y are independent over `inner`: the norm of a row of W_z.
///               The sum of the exponentials is common to all of y; then the sum itself rounds.
std::vector<ladder::ReferenceField> reference_fields(const NonLocalProblem& p, const NonLocalReference& r, const ladder::Blocks& blocks) {
  using numerics::largest_finite;
  using numerics::sum_error;
  using numerics::unit_roundoff;
  using numerics::chain;
  const double over_channels = sum_error(chain(number(p.channels()), blocks.scores));
  const double over_inner = sum_error(chain(number(p.inner()), blocks.scores));
  const double over_positions = sum_error(chain(number(p.positions()), blocks.values));
  const double exp_error = 4 * unit_roundoff;

  const double from_query = r.query_sums * over_channels * r.key_norm;
  const double from_key = r.key_sums * over_channels * r.query_norm;
  const double score = r.score_sums * (over_inner + 3 * unit_roundoff);
  const double z_error = 2 * r.largest_back * (from_query + r.concentration * (from_key + score + exp_error)) +
                         largest_row_norm(p.out_weight) * (r.value_sums * over_channels + r.mean_sums * (over_positions + unit_roundoff)) +
                         r.output_sums * (over_inner + over_positions + exp_error);
  // Numbers too small for float32's full precision.
  const double smallest = number(p.channels() + p.inner() + p.positions()) * (1 + number(p.inner()) * largest_finite(p.out_weight)) *
                          static_cast<double>(std::numeric_limits<float>::denorm_min());
  const double weight_error = largest_finite(r.weights) * (2 * (from_query + from_key + score) + over_positions + exp_error);
  return {ladder::reference_field("output", r.output, p.batch(), p.channels(), p.positions(), z_error + smallest),
          ladder::reference_field("weights", r.weights, p.batch(), p.positions(), p.positions(), weight_error + smallest)};
}

std::vector<ladder::NamedTensor> tensors(const NonLocalProblem& p) {
  using ladder::named;
  return {named("input", p.input), named("theta", p.theta), named("phi", p.phi), named("g", p.g), named("out_weight", p.out_weight)};
}

NonLocalProblem from_inputs(const ladder::Inputs& inputs) {
  const auto matrix = [&inputs](std::size_t i) { return inputs.tensor<2>(i, 2); };
  NonLocalProblem p{inputs.tensor<4>(0, 2), matrix(1), matrix(2), matrix(3), matrix(4)};
  const auto require = [&](const char* name, const Tensor<2>& weight, Index rows, Index columns) {
    if (tensor::extent(weight, 0) != rows || tensor::extent(weight, 1) != columns)
      throw program::UserError(fmt::format("{} is {} × {}, expected {} × {} as input and theta have it", name, tensor::extent(weight, 0),
                                           tensor::extent(weight, 1), rows, columns));
  };
  require("theta", p.theta, p.inner(), p.channels());
  require("phi", p.phi, p.inner(), p.channels());
  require("g", p.g, p.inner(), p.channels());
  require("out_weight", p.out_weight, p.channels(), p.inner());
  return p;
}

NonLocal describe() {
  NonLocal m;
  m.name = "non_local";
  m.title = "Non-local block";
  m.citation = "Wang et al. 2018, Non-local Neural Networks, equations 1 and 6, embedded Gaussian";
  m.chapter = "06_convolutional_attention";
  m.keys = {{"batch", "images", 1, "", 1, {1, 2}},
            {"channels", "channels of the map; half of them inside", 64, "", 1, {1, 2, 3, 7, 16, 33, 64, 66, 130}},
            {"height", "rows of the map", 32, "", 1, {1, 2, 3, 7, 16, 17, 31}},
            {"width", "columns of the map", 32, "height", 1, {1, 2, 3, 7, 16, 17, 33}}};
  m.standard_shapes = {{"64x28x28", "channels=64,height=28", true}, {"64x40x40", "channels=64,height=40"}};
  m.sweeps = {{"size", {"height", "width"}, {8, 16, 24, 32}, "channels=32"}};
  m.make = make_non_local;
  m.shape_of = shape_of;
  m.prepare = [](const NonLocalProblem& p, NonLocalOutput& out) { prepare(p, out, false); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "theta", "phi", "g", "out_weight"};

  // The last column: after so many terms a sum starts anew, over channels and over positions (0: never).
  m.ladder = {
      {"formula", "the equations in xtensor", non_local_formula, non_local_formula_workspace, {}, false},
      {"loops", "plain loops over contiguous memory", non_local_loops, non_local_stored_workspace, {}, false},
      {"openmp", "positions shared among the threads", non_local_openmp, non_local_stored_workspace},
      {"simd", "register-blocked products, vector exp", non_local_simd, non_local_simd_workspace, {16, 16}},
      {"fused", "chapter 2's fused attention: no n × n matrix", non_local_fused, non_local_fused_workspace, {32, 32}},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "library products in blocks of positions", non_local_openblas, non_local_openblas_workspace, {}, true, true});
#endif
  return m;
}

}  // namespace

const NonLocal& non_local() {
  static const NonLocal description = describe();
  return description;
}

ladder::MechanismPtr non_local_mechanism() { return ladder::publish(non_local()); }

}  // namespace attention::convolutional
