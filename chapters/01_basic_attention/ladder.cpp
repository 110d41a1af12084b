// The table of rungs, and what those who walk the ladder need to know of additive attention.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "additive.hpp"
#include "backward.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/factorised_scores.hpp"
#include "rungs/projections.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

using ladder::number;

ladder::Shape shape_of(const Problem& p) {
  return ladder::Shape({{"queries", p.queries()},
                        {"keys", p.keys()},
                        {"hidden", p.hidden()},
                        {"dim", p.query_dim()},
                        {"key_dim", p.key_dim()},
                        {"value_dim", p.value_dim()}});
}

double footprint(const ladder::Shape& s) {
  return 4 * (number(s["queries"]) * (number(s["dim"]) + number(s["value_dim"]) + 1) +
              number(s["keys"]) * (number(s["key_dim"]) + number(s["value_dim"])) +
              number(s["hidden"]) * (number(s["dim"]) + number(s["key_dim"]) + 1));
}

std::vector<ladder::Field> fields(const Output& out) {
  const Index rows = tensor::extent(out.output, 0);
  return {ladder::field("output", out.output, 1, rows, tensor::extent(out.output, 1)), ladder::field("lse", out.lse, 1, rows, 1),
          ladder::field("weights", out.weights, 1, rows, tensor::extent(out.weights, 1))};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error).
///   tanh       is off by at most 20u, whatever the rung (an exponential, a sum, three products, a division, of quotients up to
///              2). Independent errors of at most e_h add up to less than c sqrt(Σ e_h²), and never to more than Σ e_h.
///   its x      is a sum of two projections, each rounded in proportion to its partial sums, and is itself rounded and scaled.
///   score s_j  the sum over hidden rounds in proportion to its partial sums; with the two above: error δ. Where quotients are
///              brought to one fraction N / D (rungs 8 and 9), each unit rounds N and D once, and either moves what the fraction
///              holds so far in proportion: a partial sum of v_h (1 − tanh), the difference of two that are counted already.
///   weight p_j: exp(s_j) / Σ exp(s): relative error 2δ, and the roundings of exp, of the sum and of the division.
///   output o:   Σ_j p_j ε_j (v_j − o) for independent errors ε_j of the weights: their root sum of squares, the row's
///               concentration, times the largest |value|; then the roundings of the sum over the keys and of the division.
std::vector<ladder::ReferenceField> reference_fields(const Problem& p, const Reference& r, const ladder::Blocks& blocks) {
  using numerics::largest_finite;
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const Index rows = tensor::extent(r.output, 0);
  const double largest_value = largest_finite(p.value);
  const double largest_output = largest_finite(r.output);
  const double largest_lse = largest_finite(r.lse);
  const double largest_weight = largest_finite(r.weights);

  using numerics::chain;
  // Above 0, blocks.scores is the number of quotients to a fraction.
  const double hidden = number(p.hidden());
  const double hidden_chain = blocks.scores > 0 ? std::ceil(hidden / blocks.scores) : hidden;
  const double fraction_error = blocks.scores > 0 ? 2 * sum_error(2 * hidden) : 0;
  const double key_chain = chain(number(p.keys()), blocks.values);
  const double dim_chain = number(std::max(p.query_dim(), p.key_dim()));
  const double tanh_error = 20 * unit_roundoff * std::min(6 * r.v_length, r.v_sum);
  const double argument_error = r.argument_sums * (sum_error(dim_chain) + 4 * unit_roundoff);
  const double score_error = tanh_error + argument_error + r.score_sums * (sum_error(hidden_chain) + fraction_error + 3 * unit_roundoff);
  const double exp_error = 4 * unit_roundoff;
  const double total_error = sum_error(key_chain) + exp_error;
  return {ladder::reference_field("output", r.output, 1, rows, p.value_dim(),
                                  largest_value * r.concentration * (2 * score_error + exp_error) +
                                      (r.value_sums + largest_output) * (sum_error(key_chain) + exp_error)),
          ladder::reference_field("lse", r.lse, 1, rows, 1, score_error + total_error + 4 * unit_roundoff * largest_lse),
          ladder::reference_field("weights", r.weights, 1, rows, p.keys(), largest_weight * (2 * score_error + total_error))};
}

std::vector<ladder::NamedTensor> tensors(const Problem& p) {
  using ladder::named;
  return {named("query", p.query), named("key", p.key), named("value", p.value), named("W", p.W), named("U", p.U), named("v", p.v)};
}

Problem from_inputs(const ladder::Inputs& inputs) {
  Problem p{inputs.tensor<2>(0, 2), inputs.tensor<2>(1, 2), inputs.tensor<2>(2, 2),
            inputs.tensor<2>(3, 2), inputs.tensor<2>(4, 2), inputs.tensor<1>(5, 1)};
  const auto same = [](const char* what, const char* a, Index x, const char* b, Index y) {
    if (x != y) throw program::UserError(fmt::format("{}: {} has {}, {} has {}; they must be equal", what, a, x, b, y));
  };
  same("keys", "key", p.keys(), "value", tensor::extent(p.value, 0));
  same("columns", "query", p.query_dim(), "W", tensor::extent(p.W, 1));
  same("columns", "key", p.key_dim(), "U", tensor::extent(p.U, 1));
  same("hidden", "v", p.hidden(), "W", tensor::extent(p.W, 0));
  same("hidden", "v", p.hidden(), "U", tensor::extent(p.U, 0));
  return p;
}

Additive describe() {
  Additive m;
  m.name = "additive";
  m.title = "Additive attention";
  m.citation = "Bahdanau, Cho, Bengio 2014, Neural Machine Translation by Jointly Learning to Align and Translate, appendix A.1.2";
  m.chapter = "01_basic_attention";
  m.keys = {{"queries", "rows of Q", 512, "", 1, {}},
            {"keys", "rows of K and V", 512, "queries", 1, {}},
            {"hidden", "units that compare a query with a key: rows of W and U", 128, "", 1, {1, 2, 3, 4, 5, 13, 32, 33}},
            {"dim", "columns of Q and W", 16, "", 1, {1, 3, 17}},
            {"key_dim", "columns of K and U", 16, "dim", 1, {1, 5, 16}},
            {"value_dim", "columns of V", 64, "", 1, {1, 3, 32, 33}}};
  m.standard_shapes = {{"512x512x128", "queries=512,hidden=128"},
                       {"2048x2048x128", "queries=2048,hidden=128", true},
                       {"4096x4096x256", "queries=4096,hidden=256", false, true}};
  m.sweeps = {{"n", {"queries", "keys"}, {32, 64, 128, 256}, "hidden=32"},
              {"hidden", {"hidden"}, {8, 32, 128}, "queries=128"}};
  m.tile_edges = {simd::tile_rows, factorised_queries, tiled_queries, tiled_keys, fused_keys};
  m.make = make;
  m.shape_of = shape_of;
  m.prepare = [](const Problem& p, Output& out) { prepare(p, out, false); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const Problem& p) { return p.queries(); };
  m.take_rows = take_queries;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"query", "key", "value", "W", "U", "v"};

  // In braces: hidden units that are brought to one fraction (0: none), and keys after which a sum starts anew (0: never).
  const ladder::Blocks quotients{number(quotient_units), number(sum_block)};
  m.ladder = {
      {"formula", "the equation of a pair in xtensor", formula, [](const Problem& p) { return 2 * weights_workspace(p); }, {}, false},
      {"loops", "plain loops over contiguous memory", loops, weights_workspace, {}, false},
      {"hoisted", "W q and U k once, not for every pair", hoisted, hoisted_workspace, {}, false},
      {"openmp", "rows shared among the threads", openmp, hoisted_workspace},
      {"tiled", "tiles of keys stay in the cache", tiled, hoisted_workspace, {}, true, false, tiled_queries},
      {"simd", "16 keys side by side, vector tanh", simd, simd_workspace, {0, number(sum_block)}},
      {"shared", "one division for four tanhs", shared, simd_workspace, {0, number(sum_block)}},
      {"factorised", "e^2(a+b) = e^2a e^2b: one reciprocal for 16 pairs", factorised, factorised_workspace, quotients, true, false, factorised_queries},
      {"fused", "online softmax: no queries × keys matrix", fused, fused_workspace, quotients, true, false, factorised_queries},
  };
  return m;
}

}  // namespace

const Additive& mechanism() {
  static const Additive description = describe();
  return description;
}

std::vector<ladder::MechanismPtr> mechanisms() { return {ladder::publish(mechanism()), backward_mechanism()}; }

}  // namespace attention::additive
