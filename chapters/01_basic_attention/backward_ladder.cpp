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
#include "tensor/load_padded.hpp"

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

/// Largest Σ |x| over the rows, or over the columns, of a matrix; what is not finite is left out.
double largest_row_sum(const Tensor<2>& x) {
  double largest = 0;
  for (Index i = 0; i < tensor::extent(x, 0); ++i) {
    double sum = 0;
    for (Index c = 0; c < tensor::extent(x, 1); ++c)
      if (const double e = std::abs(static_cast<double>(x(static_cast<std::size_t>(i), static_cast<std::size_t>(c)))); std::isfinite(e)) sum += e;
    largest = std::max(largest, sum);
  }
  return largest;
}
double largest_column_sum(const Tensor<2>& x) { return largest_row_sum(Tensor<2>(xt::transpose(x))); }

/// What rounding explains, to first order.
///   forward   its scores are off by ε_s, its lse by ε_l, its output by ε_o a component: the bounds of ladder.cpp.
///   P_ij      relative error ω: of its own score, of lse, of their difference and of the exponential.
///   dS_ij     = P_ij (dP_ij − D_i): that relative error, and P_ij times θ, the errors of dP_ij and of D_i = dO_i · output_i.
///   1 − t²    = 4 r (1 − r) is off by at most 40 u, as t by 20 u; and its argument moves it by at most 0.77 times as much.
///   da, db    Σ dS_ij v_h (1 − t²) over the keys, or the queries: at worst all errors point one way. Σ |dS| ω, Σ P θ, Σ |dS| times
///             the error of 1 − t², and the roundings of the sum, whose parts never exceed Σ |dS| |v|.
///   dv        likewise with t; and where dS r is summed instead of dS t, Σ dS, which is 0 but for its own error, comes in too.
///   the rest  are products with W, U, query and key: these errors times the sums of their factors, and their own roundings.
/// Numbers below 2^-126 are rounded to multiples of 2^-149.
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
  const double pairs = queries * keys;

  // Forward's bounds, of a rung as careful as any of those whose output is given (fused), and of this rung's own scores.
  const auto forward = [&](const ladder::Blocks& sums) { return mechanism().reference_fields(p, r.forward, sums); };
  const auto given = forward(ladder::Blocks{number(quotient_units), 0});
  const auto own = forward(blocks);
  const double output_error = given[0].bound;
  const double lse_error = given[1].bound;
  const double weight = own[1].bound + lse_error + (4 + 2 * r.lse) * u;  // a score alone is as exact as a sum of them
  const double dp = r.weight_gradients * sum_error(number(p.value_dim()));
  const double delta = r.output_sums * sum_error(number(p.value_dim())) + r.gradient_sum * output_error;
  const double theta = dp + delta;

  const double v = largest_finite(p.v);
  // No partial sum of (W q)_h exceeds Σ_c |W_hc| times the largest |q|.
  const double argument = (largest_row_sum(p.W) * largest_finite(p.query) + largest_row_sum(p.U) * largest_finite(p.key)) *
                          (sum_error(number(std::max(p.query_dim(), p.key_dim()))) + 4 * u);
  const double slope = std::min(40 * u + 0.77 * argument, 1.0);
  const double t_error = std::min(20 * u + argument, 2.0);

  const double da = v * (r.row_sum * (weight + slope + sum_error(keys)) + theta) + keys * smallest;
  const double db = v * (r.column_sum * (weight + slope + sum_error(queries)) + r.column_weights * theta) + queries * smallest;
  const double dv = r.all_sum * (2 * weight + t_error + 2 * sum_error(pairs)) + 2 * queries * theta + pairs * smallest;
  const auto back = [&](double error, double largest, double terms, double factors) {
    return factors * (error + largest * (sum_error(terms) + u)) + terms * smallest;
  };
  const double dvalue = largest_finite(problem.output_gradient) * r.column_weights * (weight + sum_error(queries)) + queries * smallest;
  return {ladder::reference_field("query_gradient", r.query_gradient, 1, p.queries(), p.query_dim(),
                                  back(da, r.query_projection_gradient, hidden, largest_column_sum(p.W))),
          ladder::reference_field("key_gradient", r.key_gradient, 1, p.keys(), p.key_dim(),
                                  back(db, r.key_projection_gradient, hidden, largest_column_sum(p.U))),
          ladder::reference_field("value_gradient", r.value_gradient, 1, p.keys(), p.value_dim(), dvalue),
          ladder::reference_field("W_gradient", r.W_gradient, 1, p.hidden(), p.query_dim(),
                                  back(da, r.query_projection_gradient, queries, largest_column_sum(p.query))),
          ladder::reference_field("U_gradient", r.U_gradient, 1, p.hidden(), p.key_dim(),
                                  back(db, r.key_projection_gradient, keys, largest_column_sum(p.key))),
          ladder::reference_field("v_gradient", r.v_gradient, 1, p.hidden(), 1, dv)};
}

std::vector<ladder::NamedTensor> tensors(const BackwardProblem& p) {
  std::vector<ladder::NamedTensor> all = mechanism().tensors(p.inputs);
  all.push_back(ladder::named("output_gradient", p.output_gradient));
  return all;
}

/// Forward is run.
BackwardProblem from_files(std::span<const std::filesystem::path> files) {
  BackwardProblem p{mechanism().from_files(files.first(6)), {}, {}, tensor::load_padded<2>(files[6], 2)};
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
  m.from_files = from_files;
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
