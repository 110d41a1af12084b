// The ladder of the backward pass, and how far rounding alone may move its gradients.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "backward.hpp"
#include "dot_product.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/backward_part.hpp"
#include "rungs/backward_rungs.hpp"
#include "rungs/packing.hpp"

namespace attention::dot_product {

namespace {

using ladder::number;

ladder::Shape shape_of(const BackwardProblem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"heads", p.heads()},
                        {"queries", p.queries()},
                        {"keys", p.keys()},
                        {"dim", p.dim()},
                        {"value_dim", p.value_dim()},
                        {"causal", p.mask.is_full() ? 0 : 1}});
}

double footprint(const ladder::Shape& s) {
  const double heads = number(s["batch"]) * number(s["heads"]);
  return 4 * heads *
         (number(s["queries"]) * (2 * number(s["dim"]) + 2 * number(s["value_dim"]) + 1) +
          number(s["keys"]) * 2 * (number(s["dim"]) + number(s["value_dim"])));
}

std::vector<ladder::Field> fields(const BackwardOutput& out) {
  const auto field = [](const char* name, const Tensor<4>& gradient) {
    return ladder::field(name, gradient, tensor::extent(gradient, 0) * tensor::extent(gradient, 1),
                         tensor::extent(gradient, 2), tensor::extent(gradient, 3));
  };
  return {field("query_gradient", out.query_gradient), field("key_gradient", out.key_gradient),
          field("value_gradient", out.value_gradient)};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error). Errors that are
/// independent of each other add up by their squares.
///   forward   its lse is off by ε_l, its output by ε_o a component: the bounds of ladder.cpp, for the fused
///   rung. weight    P_ij = exp(s_ij − lse_i): relative error δ, of its own score, difference and
///   exponential. Besides, all weights of a row
///             share lse_i and the rounding of the query's factor.
///   dS        P_ij (dP_ij − D_i): that relative error, and P_ij times the errors of dP_ij and of D_i = dO_i
///   · o_i. dV, dK    over the queries, whose errors are independent of each other. dQ        over the keys:
///   what all of them share moves the whole sum (ε_l), or at worst each term the same way (the query's
///             factor; D_i, whose weights sum to 1).
/// To each come the roundings of its own sum. Numbers below 2^-126 are rounded to multiples of 2^-149.
std::vector<ladder::ReferenceField> reference_fields(const BackwardProblem& p, const BackwardReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::chain;
  using numerics::largest_finite;
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  constexpr double exp_error = 4 * u;
  constexpr double smallest = std::numeric_limits<float>::denorm_min();
  const double queries = number(p.queries());
  const double keys = number(p.keys());
  const double dim = number(p.dim());
  const double value_dim = number(p.value_dim());
  const double key = largest_finite(p.key);
  const double value = largest_finite(p.value);
  const double query = largest_finite(p.query);
  const double gradient = largest_finite(p.output_gradient);
  const auto scale = std::abs(static_cast<double>(p.scale));

  const double forward_score = r.score_sums * (sum_error(chain(dim, number(depth_block))) + 3 * u);
  const double forward_total = sum_error(chain(keys, number(values_block))) + exp_error;
  const double lse_error = forward_score + forward_total + 5 * u * r.lse;
  const double output_error =
      value * r.row_weights * (2 * forward_score + exp_error) + 2 * r.output_sums * forward_total;

  const double weight = r.score_sums * (sum_error(chain(dim, blocks.scores)) + 4 * u) + exp_error + u * r.lse;
  const double query_factor = 2 * u * r.score_sums;
  const double dp_error = r.weight_gradient_sums * sum_error(chain(value_dim, blocks.scores));
  const double delta_error =
      r.delta_sums * (sum_error(chain(value_dim, blocks.scores)) + u) + r.gradient_norm * output_error;
  // Above 0, blocks.values is the block of keys; that of queries goes with it.
  const double over_keys = sum_error(chain(keys, blocks.values)) + 4 * u;
  const double over_queries =
      sum_error(blocks.values > 0 ? chain(queries, number(backward_block_queries)) : queries) + 4 * u;
  const double all = weight + query_factor + lse_error;

  const double query_bound =
      scale * (key * (r.row_gradients * (weight + 3 * u) + r.absolute_gradients * query_factor +
                      r.row_weights * dp_error + delta_error) +
               r.query_sums * (lse_error + exp_error + over_keys));
  const double key_bound =
      scale * (query * (r.column_gradients * (all + 3 * u) + r.column_weights * (dp_error + delta_error)) +
               r.key_sums * (exp_error + over_queries));
  const double value_bound = gradient * r.column_weights * all + r.value_sums * (exp_error + over_queries);
  const Index groups = p.all_heads();
  return {ladder::reference_field("query_gradient", r.query_gradient, groups, p.queries(), p.dim(),
                                  query_bound + keys * smallest),
          ladder::reference_field("key_gradient", r.key_gradient, groups, p.keys(), p.dim(),
                                  key_bound + queries * smallest),
          ladder::reference_field("value_gradient", r.value_gradient, groups, p.keys(), p.value_dim(),
                                  value_bound + queries * smallest)};
}

std::vector<ladder::NamedTensor> tensors(const BackwardProblem& p) {
  using ladder::named;
  return {named("query", p.query), named("key", p.key), named("value", p.value),
          named("output_gradient", p.output_gradient)};
}

/// Each file holds [n, dim], [heads, n, dim] or [batch, heads, n, dim]. No mask; forward is run.
BackwardProblem from_inputs(const ladder::Inputs& inputs) {
  BackwardProblem p;
  p.query = inputs.tensor<4>(0, 2);
  p.key = inputs.tensor<4>(1, 2);
  p.value = inputs.tensor<4>(2, 2);
  p.output_gradient = inputs.tensor<4>(3, 2);
  const auto same = [](const char* what, const char* a, const Tensor<4>& x, std::size_t x_axis, const char* b,
                       const Tensor<4>& y, std::size_t y_axis) {
    if (x.shape()[x_axis] != y.shape()[y_axis])
      throw program::UserError(fmt::format("{}: the {} has {}, the {} has {}; they must be equal", what, a,
                                           x.shape()[x_axis], b, y.shape()[y_axis]));
  };
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const char* what = axis == 0 ? "batch" : "heads";
    same(what, "query", p.query, axis, "key", p.key, axis);
    same(what, "query", p.query, axis, "value", p.value, axis);
    same(what, "query", p.query, axis, "output_gradient", p.output_gradient, axis);
  }
  same("dim", "query", p.query, 3, "key", p.key, 3);
  same("keys", "key", p.key, 2, "value", p.value, 2);
  same("queries", "query", p.query, 2, "output_gradient", p.output_gradient, 2);
  same("value_dim", "value", p.value, 3, "output_gradient", p.output_gradient, 3);
  p.scale = scale_of(inputs, p.dim());
  p.mask = mask_of(inputs, p.queries(), p.keys());
  run_forward(p);
  return p;
}

Backward describe() {
  Backward m;
  m.name = "dot_product_backward";
  m.title = "Dot-product attention, backward";
  m.citation = "Dao et al. 2022, FlashAttention, section 3.1 and appendix B.2";
  m.chapter = "02_dot_product_attention";
  m.keys = {{"batch", "independent problems", 1, "", 1, {1, 2}},
            {"heads", "heads, each with queries, keys and values of its own", 1, "", 1, {1, 3}},
            {"queries", "rows of Q", 512, "", 1, {}},
            {"keys", "rows of K and V", 512, "queries", 1, {}},
            {"dim", "columns of Q and K", 64, "", 1, {}},
            {"value_dim", "columns of V", 64, "dim", 1, {}},
            {"causal", "1: no query sees a later key (the last query sees all)", 0, "", 0, {0, 1}}};
  m.standard_shapes = {{"8x512x64", "heads=8,queries=512,dim=64"},
                       {"8x2048x64", "heads=8,queries=2048,dim=64", true},
                       {"8x2048x64-causal", "heads=8,queries=2048,dim=64,causal=1", false, true},
                       {"1x4096x64", "heads=1,queries=4096,dim=64", false, true}};
  m.sweeps = {{"n", {"queries", "keys"}, {32, 64, 128, 256, 512}, "heads=1,dim=64"}};
  m.tile_edges = {backward_tiled_keys, backward_block_keys, backward_block_queries};
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
  m.tensor_names = {"query", "key", "value", "output_gradient"};
  m.settings = settings();

  // The last column: after so many terms a sum over dim, or over the keys, starts anew (0: never).
  const ladder::Blocks tile{number(backward_depth), number(backward_block_keys)};
  m.ladder = {
      {"formula",
       "the equations in xtensor, P and dS stored",
       backward_formula,
       backward_formula_workspace,
       {},
       false},
      {"loops", "pair by pair, weights recomputed", backward_loops, backward_loops_workspace, {}, false},
      {"openmp", "heads shared among the threads", backward_openmp, backward_loops_workspace},
      {"tiled", "tiles of K and V stay in the cache", backward_tiled, backward_tiled_workspace, {}, false},
      {"fused", "five register-blocked products a tile", backward_fused, backward_fused_workspace, tile,
       false},
      {"parallel", "parts of the keys, partial sums of dQ", backward_parallel, backward_parallel_workspace,
       tile},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas",
                      "five library products a block of keys",
                      backward_openblas,
                      backward_openblas_workspace,
                      {},
                      true,
                      true});
#endif
  return m;
}

}  // namespace

const Backward& backward() {
  static const Backward description = describe();
  return description;
}

ladder::MechanismPtr backward_mechanism() { return ladder::publish(backward()); }

}  // namespace attention::dot_product
