// The ladder of the backward pass, and how far rounding alone may move its gradients.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "multi_head_backward.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/multi_head_backward_rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::multi_head {

namespace {

using ladder::number;

ladder::Shape shape_of(const BackwardProblem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"n", p.n()},
                        {"width", p.width()},
                        {"heads", p.head_count()},
                        {"dim", p.dim()},
                        {"causal", p.heads.mask.is_full() ? 0 : 1}});
}

double footprint(const ladder::Shape& s) {
  const double rows = number(s["batch"]) * number(s["n"]);
  const double columns = number(s["heads"]) * number(s["dim"]);
  return 4 * (rows * (3 * number(s["width"]) + 5 * columns + number(s["heads"])) + 8 * number(s["width"]) * columns);
}

std::vector<ladder::Field> fields(const BackwardOutput& out) {
  const auto field = [](const char* name, const Tensor<3>& t) {
    return ladder::field(name, t, tensor::extent(t, 0), tensor::extent(t, 1), tensor::extent(t, 2));
  };
  return {field("input_gradient", out.input), field("W_Q_gradient", out.W_Q), field("W_K_gradient", out.W_K),
          field("W_V_gradient", out.W_V), field("W_O_gradient", out.W_O)};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error; one chain a sum, which all rungs
/// keep below). The error of …
///   entry      of Q, K and V, and `incoming` of dH: sums over width, independent from entry to entry.
///   score      by its own sum, and by the errors of q_i and k_j. It differs from pair to pair, also where it comes from the one
///              q_i, since it is multiplied with k_j; what all scores of a row share cancels in the softmax.
///   lse        shared by a row: its own sum and rounding.
///   dP, D      of dP_ij = dH_i · v_j, which differs from pair to pair, and of D_i = dH_i · H_i, which a row shares.
///   query …    of dQ, dK, dV: what differs from pair to pair weighs with the root of the squares, what is shared in full.
/// The products with X, dY and the weights weigh these by the sizes of the other factor's sums, and round.
std::vector<ladder::ReferenceField> reference_fields(const BackwardProblem& p, const BackwardReference& r, const ladder::Blocks&) {
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  constexpr double smallest = std::numeric_limits<float>::denorm_min();  // numbers below 2^-126 are rounded to multiples of it
  const double n = number(p.n());
  const double dim = number(p.dim());
  const double width = number(p.width());
  const double rows = number(p.rows());
  const double scale = 1 / std::sqrt(dim);

  const double entry = r.projection * sum_error(width) + width * smallest;
  const double incoming_error = r.incoming * sum_error(width) + width * smallest;
  const double largest_score = scale * r.query_norm * r.key_norm;
  const double score = largest_score * (sum_error(dim) + 4 * u) + scale * entry * (r.query_norm + r.key_norm) + 5 * u;
  const double lse = sum_error(n) + 2 * u * (largest_score + std::log(n + 1)) + 5 * u;
  const double product = sum_error(dim) + u;
  const double dP = incoming_error * r.value_norm + r.gradient_norm * (entry + r.value_norm * product) + dim * smallest;
  const double D = incoming_error * r.head_norm +
                   r.gradient_norm * (entry + r.concentration * r.value_norm * score + r.head_norm * (lse + sum_error(n) + product)) + dim * smallest;
  const double output = r.concentration * r.value * score + r.head * lse + entry + r.output_sums * sum_error(n) + n * smallest;
  const double own = sum_error(n) + lse + 6 * u;
  const double query = scale * (r.key * (r.row_gradients * score + r.concentration * dP) + r.mean_key * D + r.row_gradients * entry) +
                       r.query_sums * own + n * smallest;
  const double key = scale * (r.query * (r.column_gradients * (score + lse) + r.column_weights * (dP + D)) + r.column_gradients * entry) +
                     r.key_sums * own + n * smallest;
  const double value = r.column_weights * (r.gradient * (score + lse) + incoming_error) + r.value_sums * own + n * smallest;

  const double weights = number(p.batch()) * r.weight_sums * sum_error(rows) + rows * smallest;
  const double columns = 3 * number(p.columns());
  const double input = 3 * number(p.head_count()) * r.input_sums * sum_error(columns) + columns * smallest;
  const auto field = [](const char* name, const TensorOf<double, 3>& t, double bound) {
    return ladder::reference_field(name, t, tensor::extent(t, 0), tensor::extent(t, 1), tensor::extent(t, 2), bound);
  };
  return {field("input_gradient", r.input, r.weight_rows * std::max({query, key, value}) + input),
          field("W_Q_gradient", r.W_Q, r.input_columns * query + weights), field("W_K_gradient", r.W_K, r.input_columns * key + weights),
          field("W_V_gradient", r.W_V, r.input_columns * value + weights),
          field("W_O_gradient", r.W_O,
                r.output_columns * output + number(p.batch()) * r.output_weight_sums * sum_error(rows) + rows * smallest)};
}

std::vector<ladder::NamedTensor> tensors(const BackwardProblem& p) {
  using ladder::named;
  return {named("input", p.input), named("W_Q", p.W_Q), named("W_K", p.W_K), named("W_V", p.W_V), named("W_O", p.W_O),
          named("output_gradient", p.output_gradient)};
}

/// No mask; forward is run.
BackwardProblem from_inputs(const ladder::Inputs& inputs) {
  BackwardProblem p;
  Tensor<3>* const tensors[] = {&p.input, &p.W_Q, &p.W_K, &p.W_V, &p.W_O, &p.output_gradient};
  for (std::size_t i = 0; i < std::size(tensors); ++i) *tensors[i] = inputs.tensor<3>(i, i == 0 || i == 5 ? 2 : 3);
  for (const auto& [name, W] : {std::pair("W_Q", &p.W_Q), {"W_K", &p.W_K}, {"W_V", &p.W_V}}) expect_sizes(name, *W, p.head_count(), p.width(), p.dim());
  expect_sizes("W_O", p.W_O, p.head_count(), p.dim(), p.width());
  expect_sizes("output_gradient", p.output_gradient, p.batch(), p.n(), p.width());
  run_forward(p, inputs.setting("causal", 0) == 1);
  return p;
}

Backward describe() {
  Backward m;
  m.name = "multi_head_backward";
  m.title = "Multi-head attention, backward";
  m.citation = "the chain rule through Vaswani et al. 2017, section 3.2.2; in the heads, Dao et al. 2022, appendix B.2";
  m.chapter = "03_multi_head_attention";
  m.keys = {{"batch", "sequences", 1, "", 1, {1, 2}},
            {"n", "rows of a sequence", 512, "", 1, {}},
            {"width", "columns of a sequence", 512, "", 1, {1, 5, 16, 33, 70}},
            {"heads", "heads", 8, "", 1, {1, 2, 3}},
            {"dim", "columns of a head", 64, "", 1, {1, 3, 16, 33, 64}},
            {"causal", "1: no row sees a later one", 0, "", 0, {0, 1}}};
  m.standard_shapes = {{"512x512", "n=512", true}, {"2048x512", "n=2048", false, true}};
  m.sweeps = {{"n", {"n"}, {64, 128, 256, 512}, "width=256,heads=4"}};
  m.tile_edges = {simd::tile_rows, 8 * simd::tile_rows};
  m.make = make_backward;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "W_Q", "W_K", "W_V", "W_O", "output_gradient"};
  m.settings = {{"causal", "1: no row sees a later one", 0, 1}};
  m.ladder = {
      {"formula", "the equations in xtensor", backward_formula, backward_formula_workspace, {}, false},
      {"loops", "head by head, row by row", backward_loops, backward_loops_workspace, {}, false},
      {"openmp", "each thread writes rows of its own", backward_openmp, backward_loops_workspace},
      {"packed", "one blocked product for all heads' weights", backward_packed, backward_packed_workspace},
      {"fused", "register-blocked products in the heads too", backward_fused, backward_fused_workspace},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "library products, all heads side by side", backward_openblas, backward_openblas_workspace, {}, true, true});
#endif
  return m;
}

}  // namespace

const Backward& backward() {
  static const Backward description = describe();
  return description;
}

}  // namespace attention::multi_head
