// The ladder of the backward pass, and how far rounding alone may move its gradients.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "backward.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/backward_parts.hpp"
#include "rungs/backward_rungs.hpp"
#include "rungs/factorised_scores.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

using ladder::number;

ladder::Shape shape_of(const BackwardProblem& p) { return mechanism().shape_of(p.inputs); }

double footprint(const ladder::Shape& s) {
  return 2 * mechanism().footprint(s) + 4 * number(s["queries"]) * (number(s["value_dim"]) + 1);
}

std::vector<ladder::Field> fields(const BackwardOutput& out) {
  const auto matrix = [](const char* name, const Tensor<2>& gradient) {
    return ladder::field(name, gradient, 1, tensor::extent(gradient, 0), tensor::extent(gradient, 1));
  };
  return {matrix("query_gradient", out.query_gradient), matrix("key_gradient", out.key_gradient),
          matrix("value_gradient", out.value_gradient), matrix("W_gradient", out.W_gradient),
          matrix("U_gradient", out.U_gradient),         ladder::field("v_gradient", out.v_gradient, 1, tensor::extent(out.v_gradient, 0), 1)};
}

/// The largest column of a matrix: its Σ |x|, and its Euclidean length. What is not finite is left out.
struct Columns {
  double sum = 0;
  double length = 0;

  explicit Columns(const Tensor<2>& x) {
    for (Index c = 0; c < tensor::extent(x, 1); ++c) {
      double absolute = 0;
      double squares = 0;
      for (Index i = 0; i < tensor::extent(x, 0); ++i) {
        const double e = std::abs(static_cast<double>(x.data()[i * tensor::extent(x, 1) + c]));
        if (!std::isfinite(e)) continue;
        absolute += e;
        squares += e * e;
      }
      sum = std::max(sum, absolute);
      length = std::max(length, std::sqrt(squares));
    }
  }
};

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error). Errors that are independent of each
/// other add up by their squares; what many terms share moves them all alike and is added as it is.
///   forward   its lse is off by ε_l, its output by ε_o a component: the bounds of ladder.cpp.
///   P_ij      relative error ω, its own, of score, difference and exponential; ε_l, which all keys of a query share; and α, by
///             which the rounding of one projection moves a score, which all pairs of its query (its key) share.
///   dS_ij     = P_ij (dP_ij − D_i): these relative errors, and P_ij times θ of dP_ij, its own, and δ of D_i = dO_i · output_i,
///             which the keys of a query share (and their P add up to 1).
///   1 − t²    = 4 r (1 − r): off by 40 u, its own, and by 0.77 times the rounding ξ of its argument, shared like α.
///   da, db    Σ dS_ij v_h (1 − t²) over the keys, or the queries.
///   dv        Σ dS_ij t over all pairs; or Σ dS_ij (1 − 2 r), without the first, which is 0 but for its own errors: twice.
///   dquery    = Σ_h W_hc da_ih. The errors of dS are the same for all h: Σ_h W_hc v_h (1 − t²) is never larger than |W_c| |v|.
///   dW        = Σ_i q_ic da_ih, with errors of their own for each i, but for those shared by the pairs of a key.
/// To each come the roundings of its own sum. Numbers below 2^-126 are rounded to multiples of 2^-149.
std::vector<ladder::ReferenceField> reference_fields(const BackwardProblem& problem, const BackwardReference& r,
                                                     const ladder::Blocks& blocks) {
  using numerics::largest_finite;
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  constexpr double smallest = std::numeric_limits<float>::denorm_min();
  const Problem& p = problem.inputs;
  const double queries = number(p.queries());
  const double keys = number(p.keys());
  const double hidden = number(p.hidden());
  const double dim_error = sum_error(number(std::max(p.query_dim(), p.key_dim()))) + 4 * u;
  const double value_error = sum_error(number(p.value_dim())) + u;

  // Forward's bounds for what is given (by fused), and for this rung's own scores: an lse is no more exact than a score.
  const auto given = mechanism().reference_fields(p, r.forward, ladder::Blocks{number(quotient_units), 0});
  const double epsilon_o = given[0].bound;
  const double epsilon_l = given[1].bound;
  const double alpha = r.forward.argument_sums * dim_error;
  const double omega = mechanism().reference_fields(p, r.forward, blocks)[1].bound - alpha + (4 + 2 * r.lse) * u;
  const double xi = r.projection_sums * dim_error;
  const double theta = r.weight_gradients * value_error;
  const double delta = r.output_sums * value_error + r.gradient_length * epsilon_o;
  const double v = largest_finite(p.v);
  const double v_length = r.forward.v_length;

  // Of Σ dS over a row, a column and all pairs, times what does not exceed 1: own errors, and shared ones.
  const double row_own = r.row_gradients * omega + r.row_weights * theta;
  const double row_shared = r.row_sum * (alpha + epsilon_l) + delta;
  const double column_own = r.column_gradients * (omega + epsilon_l) + r.column_weights * (theta + delta);
  const double column_shared = r.column_sum * alpha;
  const double all_own = r.all_gradients * omega + r.all_weights * theta + r.all_row_sums * epsilon_l + std::sqrt(queries) * delta;
  const double all_shared = (r.all_row_sums + r.all_column_sums) * alpha;
  const double slope = 40 * u;
  const double moved = std::min(0.77 * xi, 1.0);

  const Columns W(p.W), U(p.U), q(p.query), k(p.key);
  const double sum_a = r.query_sums * (sum_error(keys) + 4 * u) + keys * smallest;
  const double sum_b = r.key_sums * (sum_error(queries) + 4 * u) + queries * smallest;
  const double dquery = W.length * (v_length * (row_own + row_shared) + v * (r.row_gradients * slope + r.row_sum * moved) + sum_a +
                                    std::sqrt(hidden) * r.query_sums * (sum_error(hidden) + u));
  const double dkey = U.length * (v_length * (column_own + column_shared) + v * (r.column_gradients * slope + r.column_sum * moved) +
                                  sum_b + std::sqrt(hidden) * r.key_sums * (sum_error(hidden) + u));
  const double dW = q.length * (v * (row_own + row_shared + r.row_gradients * slope) + sum_a +
                                std::sqrt(queries) * r.query_sums * (sum_error(queries) + u)) +
                    q.sum * v * r.row_sum * (alpha + moved);
  const double dU = k.length * (v * (column_own + r.column_gradients * slope) + sum_b +
                                std::sqrt(keys) * r.key_sums * (sum_error(keys) + u)) +
                    k.sum * v * (column_shared + r.column_sum * moved);
  const double dv = 2 * (all_own + all_shared + r.all_gradients * 20 * u) + (r.all_row_sums + r.all_column_sums) * std::min(xi, 2.0) +
                    2 * r.v_sums * (sum_error(queries * keys) + 4 * u) + queries * keys * smallest;
  const double dvalue = largest_finite(problem.output_gradient) * (r.column_weights * (omega + epsilon_l) + std::sqrt(queries) * r.column_weights * alpha) +
                        r.value_sums * (sum_error(queries) + u);
  const double tiny = (queries + keys + hidden) * smallest;
  return {ladder::reference_field("query_gradient", r.query_gradient, 1, p.queries(), p.query_dim(), dquery + tiny),
          ladder::reference_field("key_gradient", r.key_gradient, 1, p.keys(), p.key_dim(), dkey + tiny),
          ladder::reference_field("value_gradient", r.value_gradient, 1, p.keys(), p.value_dim(), dvalue + tiny),
          ladder::reference_field("W_gradient", r.W_gradient, 1, p.hidden(), p.query_dim(), dW + tiny),
          ladder::reference_field("U_gradient", r.U_gradient, 1, p.hidden(), p.key_dim(), dU + tiny),
          ladder::reference_field("v_gradient", r.v_gradient, 1, p.hidden(), 1, dv + tiny)};
}

std::vector<ladder::NamedTensor> tensors(const BackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = mechanism().tensors(p.inputs);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward is run.
BackwardProblem from_inputs(const ladder::Inputs& inputs) {
  BackwardProblem p{mechanism().from_inputs(inputs.first(6)), {}, {}, inputs.tensor<2>(6, 2)};
  const auto same = [&](const char* what, std::size_t axis, Index wanted) {
    if (tensor::extent(p.output_gradient, axis) != wanted)
      throw program::UserError(fmt::format("{}: the output_gradient has {}, {} are needed", what, tensor::extent(p.output_gradient, axis), wanted));
  };
  same("rows", 0, p.inputs.queries());
  same("columns", 1, p.inputs.value_dim());
  run_forward(p);
  return p;
}

Backward describe() {
  Backward m;
  m.name = "additive_backward";
  m.title = "Additive attention, backward";
  m.citation = "Bahdanau, Cho, Bengio 2014, appendix A.1.2, by the chain rule; weights recomputed as in Dao et al. 2022";
  m.chapter = "01_basic_attention";
  m.keys = mechanism().keys;
  m.standard_shapes = {{"512x512x128", "queries=512,hidden=128"},
                       {"2048x2048x128", "queries=2048,hidden=128", true},
                       {"4096x4096x256", "queries=4096,hidden=256", false, true}};
  m.sweeps = {{"n", {"queries", "keys"}, {32, 64, 128, 256}, "hidden=32"}};
  m.tile_edges = {factorised_queries, panel_keys};
  m.make = make_backward;
  m.shape_of = shape_of;
  m.prepare = [](const BackwardProblem& p, BackwardOutput& out) { prepare(p, out); };
  m.reference = backward_reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"query", "key", "value", "W", "U", "v", "output_gradient"};

  // In braces: hidden units whose quotients are brought to one fraction in the scores (0: none).
  const ladder::Blocks quotients{number(quotient_units), 0};
  m.ladder = {
      {"formula", "the equations in xtensor, every tanh stored", backward_formula, backward_formula_workspace, {}, false},
      {"loops", "pair by pair, weights recomputed", backward_loops, backward_loops_workspace, {}, false},
      {"openmp", "parts of the keys, partial sums", backward_openmp, backward_openmp_workspace},
      {"simd", "tiles, 16 hidden units side by side", backward_simd, backward_tile_workspace, quotients},
      {"factorised", "e^2(a+b) = e^2a e^2b: no exponential for a pair", backward_factorised, backward_tile_workspace, quotients},
  };
  return m;
}

}  // namespace

const Backward& backward() {
  static const Backward description = describe();
  return description;
}

ladder::MechanismPtr backward_mechanism() { return ladder::publish(backward()); }

}  // namespace attention::additive
