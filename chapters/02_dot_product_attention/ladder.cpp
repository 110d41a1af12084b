// The table of rungs, and what those who walk the ladder need to know of dot-product attention.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "backward.hpp"
#include "dot_product.hpp"
#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/interleaved.hpp"
#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"

namespace attention::dot_product {

namespace {

using ladder::number;

ladder::Shape shape_of(const Problem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"heads", p.heads()},
                        {"kv_heads", p.key_heads()},
                        {"queries", p.queries()},
                        {"keys", p.keys()},
                        {"dim", p.dim()},
                        {"value_dim", p.value_dim()},
                        {"causal", p.mask.right == 0 ? 1 : 0},
                        {"window", p.mask.left == Mask::everything ? 0 : p.mask.left + 1},
                        {"kv_dtype", static_cast<Index>(p.storage)}});
}

double footprint(const ladder::Shape& s) {
  // K and V stand in float32 too where they are stored in 16 bits.
  const double key_bytes = s["kv_dtype"] == 0 ? 4 : 6;
  return number(s["batch"]) * (4 * number(s["heads"]) * number(s["queries"]) * (number(s["dim"]) + number(s["value_dim"]) + 1) +
                               key_bytes * number(s["kv_heads"]) * number(s["keys"]) * (number(s["dim"]) + number(s["value_dim"])));
}

std::vector<ladder::Field> fields(const Output& out) {
  const Index groups = tensor::extent(out.output, 0) * tensor::extent(out.output, 1);
  const Index rows = out.queries();
  return {ladder::field("output", out.output, groups, rows, out.value_dim()), ladder::field("lse", out.lse, groups, rows, 1),
          ladder::field("weights", out.weights, groups, rows, tensor::extent(out.weights, 3))};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error).
///   score  s_j: the sum over dim rounds in proportion to its partial sums; times scale and log2(e), once each: error δ.
///   weight p_j: exp(s_j) / Σ exp(s): relative error 2δ, and the roundings of exp, of the sum and of the division.
///   output o:   Σ_j p_j ε_j (v_j − o) for independent errors ε_j of the weights: their root sum of squares, the row's
///               concentration, times the largest |v|; then the roundings of the sum over the keys and of the division.
/// Where the factors of the products are rounded beforehand: q and k, p and v by so much each, independently; and the sum of the
/// weights by as much.
std::vector<ladder::ReferenceField> reference_fields(const Problem& p, const Reference& r, const ladder::Blocks& blocks) {
  using numerics::largest_finite;
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const Index groups = p.batch() * p.heads();
  const Index rows = tensor::extent(r.output, 2);
  const double largest_value = largest_finite(p.value);
  const double largest_output = largest_finite(r.output);
  const double largest_lse = largest_finite(r.lse);
  const double largest_weight = largest_finite(r.weights);

  using numerics::chain;
  const double dim_chain = chain(number(p.dim()), blocks.scores);
  const double key_chain = chain(number(p.keys()), blocks.values);
  const double exp_error = 4 * unit_roundoff;
  const double factors = 6 * std::numbers::sqrt2 * blocks.rounding;
  const double score_error = r.score_sums * (sum_error(dim_chain) + 3 * unit_roundoff + factors);
  const double total_error = sum_error(key_chain) + exp_error + blocks.rounding;
  return {ladder::reference_field("output", r.output, groups, rows, p.value_dim(),
                                  largest_value * r.concentration * (2 * score_error + exp_error + factors) +
                                      (r.value_sums + largest_output) * (sum_error(key_chain) + exp_error)),
          ladder::reference_field("lse", r.lse, groups, rows, 1, score_error + total_error + 4 * unit_roundoff * largest_lse),
          ladder::reference_field("weights", r.weights, groups, rows, p.keys(), largest_weight * (2 * score_error + total_error))};
}

std::vector<ladder::NamedTensor> tensors(const Problem& p) {
  using ladder::named;
  return {named("query", p.query), named("key", p.key), named("value", p.value)};
}

/// Each is [n, dim], [heads, n, dim] or [batch, heads, n, dim].
Problem from_inputs(const ladder::Inputs& inputs) {
  Problem p;
  p.query = inputs.tensor<4>(0, 2);
  p.key = inputs.tensor<4>(1, 2);
  p.value = inputs.tensor<4>(2, 2);
  const auto same = [](const char* what, const char* a, Index x, const char* b, Index y) {
    if (x != y) throw program::UserError(fmt::format("{}: the {} has {}, the {} has {}; they must be equal", what, a, x, b, y));
  };
  same("batch", "query", p.batch(), "key", tensor::extent(p.key, 0));
  same("batch", "query", p.batch(), "value", tensor::extent(p.value, 0));
  if (p.heads() % p.key_heads() != 0)
    throw program::UserError(fmt::format("heads: the query has {}, the key has {}; the second must divide the first", p.heads(), p.key_heads()));
  same("heads", "key", p.key_heads(), "value", tensor::extent(p.value, 1));
  same("dim", "query", p.dim(), "key", tensor::extent(p.key, 3));
  same("keys", "key", p.keys(), "value", tensor::extent(p.value, 2));
  p.scale = scale_of(inputs, p.dim());
  p.mask = mask_of(inputs, p.queries(), p.keys());
  return p;
}

DotProduct describe() {
  DotProduct m;
  m.name = "dot_product";
  m.title = "Dot-product attention";
  m.citation = "Vaswani et al. 2017, Attention Is All You Need, equation 1";
  m.chapter = "02_dot_product_attention";
  m.keys = {{"batch", "independent problems", 1, "", 1, {1, 2}},
            {"heads", "heads of Q", 1, "", 1, {1, 3, 6}},
            {"kv_heads", "heads of K and V; each serves as many heads of Q", 1, "heads", 1, {1, 3}},
            {"queries", "rows of Q", 512, "", 1, {}},
            {"keys", "rows of K and V", 512, "queries", 1, {}},
            {"dim", "columns of Q and K", 64, "", 1, {}},
            {"value_dim", "columns of V", 64, "dim", 1, {}},
            {"causal", "1: no query sees a later key; the last query stands beside the last key", 0, "", 0, {0, 1}},
            {"window", "a query sees the keys less than this away; 0: all", 0, "", 0, {0, 1, 40}},
            {"kv_dtype", "how K and V are stored", 0, "", 0, {0, 1, 2}, simd::storage_names()}};
  m.standard_shapes = {{"8x512x64", "heads=8,queries=512,dim=64"},
                       {"8x2048x64", "heads=8,queries=2048,dim=64", true},
                       {"8x4096x64", "heads=8,queries=4096,dim=64", false, true},
                       {"1x16384x64", "heads=1,queries=16384,dim=64", false, true},
                       {"8x2048x128", "heads=8,queries=2048,dim=128"},
                       {"8x2048x64-causal", "heads=8,queries=2048,dim=64,causal=1", false, true},
                       {"8x4096x64-causal", "heads=8,queries=4096,dim=64,causal=1", false, true},
                       {"8x2048x128-causal", "heads=8,queries=2048,dim=128,causal=1", false, true},
                       {"decode", "heads=32,queries=1,keys=8192,dim=128,causal=1", false, true},
                       {"decode-bf16", "heads=32,queries=1,keys=8192,dim=128,causal=1,kv_dtype=bfloat16", false, true},
                       {"decode-gqa-32-8", "heads=32,kv_heads=8,queries=1,keys=8192,dim=128,causal=1", false, true},
                       {"look-up", "queries=10000,keys=60000,dim=784,value_dim=10", false, true}};
  m.sweeps = {{"n", {"queries", "keys"}, {64, 128, 256, 512, 1024, 2048, 4096}, "heads=1,dim=64"},
              {"dim", {"dim", "value_dim"}, {8, 16, 32, 64, 128, 256, 512}, "heads=1,queries=512"}};
  m.tile_edges = {simd::tile_rows, tiled_queries, band_queries, near_keys, fused_queries};
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
  m.tensor_names = {"query", "key", "value"};
  m.settings = settings();

  // The last column: after so many terms a sum starts anew (0: never).
  m.ladder = {
      {"formula", "the equation in xtensor", formula, formula_workspace, {}, false},
      {"loops", "plain loops over contiguous memory", loops, weights_workspace, {}, false},
      {"openmp", "rows shared among the threads", openmp, weights_workspace},
      {"tiled", "tiles of K and V stay in the cache", tiled, weights_workspace, {0, 16}, true, false, tiled_queries},
      {"simd", "register-blocked products, vector exp", simd, simd_workspace, {16, number(values_block)}, true, false,
       shared_work_rows},
      {"fused", "online softmax: no n × m matrix", fused, fused_workspace, {number(depth_block), number(values_block)}, true,
       false, fused_queries},
      {"fused_bf16", "products in bfloat16, two terms an instruction", fused_bf16, fused_bf16_workspace,
       {2 * number(depth_block), 2 * number(values_block), simd::bfloat16_roundoff}, true, false, fused_queries, true},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "two library products in blocks of rows", openblas, openblas_workspace, {}, true, true,
                      shared_work_rows});
#endif
  return m;
}

}  // namespace

std::size_t weights_workspace(const Problem& p) {
  return static_cast<std::size_t>(p.batch() * p.heads() * p.queries() * p.keys()) * sizeof(float);
}

const DotProduct& mechanism() {
  static const DotProduct description = describe();
  return description;
}

std::vector<ladder::MechanismPtr> mechanisms() { return {ladder::publish(mechanism()), steps_mechanism(), backward_mechanism()}; }

}  // namespace attention::dot_product
