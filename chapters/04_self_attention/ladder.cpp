// The tables of rungs, and what those who walk the ladders need to know of self-attention.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "linear_attention.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"
#include "self_attention.hpp"

namespace attention::self_attention {

namespace {

using ladder::number;

ladder::Shape shape_of(const Problem& p, bool windowed) {
  std::vector<std::pair<std::string, Index>> sizes{
      {"batch", p.batch()}, {"n", p.queries()}, {"heads", p.heads()}, {"dim", p.dim()}, {"width", p.width()}};
  if (windowed) sizes.emplace_back("window", p.mask.left + 1);
  sizes.emplace_back("positions", static_cast<Index>(p.positions));
  return ladder::Shape(std::move(sizes));
}

double footprint(const ladder::Shape& s) {
  const double columns = number(s["heads"]) * number(s["dim"]);
  const bool table = s["positions"] == static_cast<Index>(Positions::learned);
  return 4 * (number(s["batch"]) * number(s["n"]) * (number(s["width"]) + columns + number(s["heads"])) +
              3 * number(s["width"]) * columns + (table ? number(s["n"]) * number(s["width"]) : 0));
}

/// Rows that can be computed alone are runs of neighbours; where n is no multiple of their length there are none.
Index runs(const Problem& p) { return p.queries() % run_length == 0 ? p.queries() / run_length : 0; }

/// How the arrays of an answer fall into rows: runs, where there are any.
struct Rows {
  Index count;
  Index length;
  explicit Rows(Index queries)  // 0 where no output has been prepared yet
      : count(queries % run_length == 0 ? queries / run_length : queries), length(queries == 0 ? 0 : queries / count) {}
};

std::vector<ladder::Field> fields(const Output& out) {
  const Rows rows(out.queries());
  const Index heads = out.batch() * out.heads();
  return {ladder::field("output", out.output, out.batch(), rows.count, rows.length * out.heads() * out.dim()),
          ladder::field("lse", out.lse, heads, rows.count, rows.length),
          ladder::field("weights", out.weights, heads, rows.count, rows.length * out.span())};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error).
///   Q, K, V: sums over width, and a few roundings for encoding, rotation and the input of the next step.
///   score:   q and k are off by independent errors a component; a vector of them moves q · k by the other vector's length
///            times one. Then the roundings of the sum over dim itself.
///   output:  as in chapter 2, Σ_j w_j ε_j (v_j − o). The errors that come from keys are independent from key to key and
///            average out by the row's concentration; those that come from the one query do not. To this the values' own errors.
///   bias:    a bias b_j is rounded by 4 units of itself: Σ_j w_j |b_j|, small, since a large bias leaves a small weight.
std::vector<ladder::ReferenceField> reference_fields(const Problem& p, const Reference& r, const ladder::Blocks& blocks) {
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  using numerics::chain;
  using numerics::largest_finite;
  const double projection = sum_error(number(p.width())) + 8 * u;  // one chain, which all rungs keep below
  const double keys = chain(number(p.span()), blocks.values);
  const double exp_error = 4 * u;
  const double bias_error = 4 * u * r.weighted_bias;

  const double from_query = p.scale() * r.key_length * r.query_sums * projection;
  const double from_key = p.scale() * r.query_length * r.key_sums * projection;
  const double own = r.score_sums * (sum_error(chain(number(p.dim()), blocks.scores)) + 3 * u);
  const double score_error = from_query + from_key + own;
  const double total_error = sum_error(keys) + exp_error;
  const double largest_output = largest_finite(r.output);

  const Rows rows(r.queries());
  const Index heads = r.batch() * r.heads();
  return {ladder::reference_field("output", r.output, r.batch(), rows.count, rows.length * r.heads() * r.dim(),
                                  r.largest_value * (2 * from_query + 2 * bias_error +
                                                     r.concentration * (2 * (from_key + own) + exp_error)) +
                                      r.concentration * r.value_sums * projection +
                                      (r.output_sums + largest_output) * (sum_error(keys) + exp_error)),
          ladder::reference_field("lse", r.lse, heads, rows.count, rows.length,
                                  score_error + total_error + bias_error + 4 * u * largest_finite(r.lse)),
          ladder::reference_field("weights", r.weights, heads, rows.count, rows.length * r.span(),
                                  largest_finite(r.weights) * (2 * score_error + total_error) + 2 * bias_error)};
}

std::vector<ladder::NamedTensor> tensors(const Problem& p) {
  using ladder::named;
  return {named("input", p.input), named("query_weight", p.query_weight), named("key_weight", p.key_weight),
          named("value_weight", p.value_weight)};
}

/// The input holds [n, width] or [batch, n, width]; a weight [width, heads, dim], or [width, dim] for one head. No positions.
Problem from_inputs(const ladder::Inputs& inputs, Mask mask) {
  Problem p;
  p.input = inputs.tensor<3>(0, 2);
  p.mask = mask;
  p.positions = static_cast<Positions>(inputs.whole_setting("positions", 0));
  const auto weight = [&](std::size_t file) {
    Tensor<3> w = inputs.tensor<3>(file, 2);
    // A missing 1 is put in front; here it is the number of heads that is missing.
    if (tensor::extent(w, 0) == 1 && p.width() != 1) w.reshape({w.shape()[1], std::size_t{1}, w.shape()[2]});
    return w;
  };
  p.query_weight = weight(1);
  p.key_weight = weight(2);
  p.value_weight = weight(3);
  const auto same = [](const char* what, const char* a, Index x, const char* b, Index y) {
    if (x != y) throw program::UserError(fmt::format("{}: the {} has {}, the {} has {}; they must be equal", what, a, x, b, y));
  };
  for (const auto& [name, w] : {std::pair("query_weight", &p.query_weight), std::pair("key_weight", &p.key_weight),
                                std::pair("value_weight", &p.value_weight)}) {
    same("width", "input", p.width(), name, tensor::extent(*w, 0));
    same("heads", "query_weight", p.heads(), name, tensor::extent(*w, 1));
    same("dim", "query_weight", p.dim(), name, tensor::extent(*w, 2));
  }
  return p;
}

constexpr Index usual_window = 256;

/// What the three have in common.
SelfAttention describe() {
  SelfAttention m;
  m.chapter = "04_self_attention";
  m.keys = {{"batch", "independent sequences", 1, "", 1, {1, 2}},
            {"n", "tokens of a sequence", 512, "", 1, {}},
            {"heads", "heads, each with projections of its own", 1, "", 1, {1, 3}},
            {"dim", "columns of a head's Q, K and V", 64, "", 1, {1, 3, 16, 33, 64}},
            {"width", "columns of X", 64, "", 1, {1, 5, 16, 33, 70}},
            {"positions", "0 none, 1 sinusoidal, 2 rotary, 3 linear biases, 4 learned", 0, "", 0, {0, 1, 2, 3, 4}}};
  m.tile_edges = {tiled_queries, tiled_keys, simd_queries};
  m.prepare = [](const Problem& p, Output& out) { prepare(p, out, false); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = runs;
  m.take_rows = take_runs;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.tensor_names = {"input", "query_weight", "key_weight", "value_weight"};
  m.settings = {{"positions", "0 none, 1 sinusoidal, 2 rotary, 3 linear biases", 0, 3}};

  // The last column: after so many terms a sum starts anew (0: never).
  m.ladder = {
      {"formula", "all pairs in xtensor, then the mask", formula, formula_workspace, {}, false},
      {"loops", "plain loops over visible keys only", loops, weights_workspace, {}, false},
      {"openmp", "rows handed out 8 at a time", openmp, weights_workspace},
      {"tiled", "tiles of keys stay in the cache, masked ones are skipped", tiled, weights_workspace, {16, 16},
       true, false, tiled_queries / run_length},
      {"simd", "register-blocked products, vector exp", simd, simd_workspace,
       {number(score_block), number(dot_product::values_block)}},
      {"fused", "online softmax over visible blocks: no weights", fused, fused_workspace,
       {number(dot_product::depth_block), number(dot_product::values_block)}},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "library products in blocks of rows, masked softmax", openblas, openblas_workspace, {}, true, true,
                      openblas_rows / run_length});
#endif
  return m;
}

SelfAttention describe_full() {
  SelfAttention m = describe();
  m.name = "self_attention";
  m.title = "Self-attention";
  m.citation = "Vaswani et al. 2017, Attention Is All You Need, section 3.2.3";
  m.standard_shapes = {{"4x512x64", "heads=4,n=512,dim=64,width=256"}, {"4x1024x64", "heads=4,n=1024,dim=64,width=256", true}};
  m.sweeps = {{"n", {"n"}, {128, 256, 512, 1024}, "heads=1,dim=64,width=64"}};
  m.make = [](const ladder::Shape& s, std::uint64_t seed, ladder::Hardness h) { return make(Kind::full, s, seed, h); };
  m.shape_of = [](const Problem& p) { return shape_of(p, false); };
  m.from_inputs = [](const ladder::Inputs& inputs) { return from_inputs(inputs, Mask::full()); };
  return m;
}

SelfAttention describe_causal() {
  SelfAttention m = describe();
  m.name = "causal_attention";
  m.title = "Causal self-attention";
  m.citation = "Vaswani et al. 2017, Attention Is All You Need, section 3.2.3 (masked, in the decoder)";
  m.standard_shapes = {{"4x512x64", "heads=4,n=512,dim=64,width=256"}, {"4x2048x64", "heads=4,n=2048,dim=64,width=256", true}};
  m.sweeps = {{"n", {"n"}, {128, 256, 512, 1024, 2048}, "heads=1,dim=64,width=64"}};
  m.make = [](const ladder::Shape& s, std::uint64_t seed, ladder::Hardness h) { return make(Kind::causal, s, seed, h); };
  m.shape_of = [](const Problem& p) { return shape_of(p, false); };
  m.from_inputs = [](const ladder::Inputs& inputs) { return from_inputs(inputs, Mask::causal()); };
  return m;
}

SelfAttention describe_window() {
  SelfAttention m = describe();
  m.name = "window_attention";
  m.title = "Sliding-window self-attention";
  m.citation = "Beltagy et al. 2020, Longformer, section 3.1 (sliding window), causal side only";
  m.keys.insert(m.keys.end() - 1, {"window", "keys that a token sees: itself and those before it", usual_window, "", 1, {1, 2, 31, 33, 100, 300}});
  m.standard_shapes = {{"2x1024x64w256", "heads=2,n=1024,dim=64,width=128,window=256"},
                       {"2x4096x64w256", "heads=2,n=4096,dim=64,width=128,window=256", true}};
  m.sweeps = {{"n", {"n"}, {256, 512, 1024, 2048, 4096}, "heads=1,dim=64,width=64,window=256"},
              {"window", {"window"}, {16, 64, 256, 1024}, "heads=1,n=1024,dim=64,width=64"}};
  m.make = [](const ladder::Shape& s, std::uint64_t seed, ladder::Hardness h) { return make(Kind::window, s, seed, h); };
  m.shape_of = [](const Problem& p) { return shape_of(p, true); };
  m.from_inputs = [](const ladder::Inputs& inputs) {
    return from_inputs(inputs, Mask::sliding_window(inputs.whole_setting("window", usual_window)));
  };
  m.settings.push_back({"window", "keys that a token sees: itself and those before it", 1, 1e15, true, fmt::format("{}", usual_window)});
  return m;
}

}  // namespace

const SelfAttention& mechanism(Kind kind) {
  static const SelfAttention all[] = {describe_full(), describe_causal(), describe_window()};
  return all[static_cast<std::size_t>(kind)];
}

std::vector<ladder::MechanismPtr> mechanisms() {
  return {ladder::publish(mechanism(Kind::full)), ladder::publish(mechanism(Kind::causal)), ladder::publish(mechanism(Kind::window)),
          linear_mechanism()};
}

}  // namespace attention::self_attention
