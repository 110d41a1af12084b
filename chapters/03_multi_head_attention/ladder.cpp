// The table of rungs, and what those who walk the ladder need to know of multi-head attention.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "multi_head.hpp"
#include "multi_head_backward.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::multi_head {

namespace {

using ladder::number;

ladder::Shape shape_of(const Problem& p) {
  return ladder::Shape({{"batch", p.batch()},
                        {"n", p.n()},
                        {"width", p.width()},
                        {"key_heads", p.key_heads()},
                        {"group", p.heads() / p.key_heads()},
                        {"dim", p.dim()},
                        {"causal", p.causal ? 1 : 0}});
}

double footprint(const ladder::Shape& s) {
  const double matrices = number(s["width"]) * number(s["dim"]) * number(s["key_heads"]);
  return 4 * (2 * number(s["batch"]) * number(s["n"]) * number(s["width"]) + matrices * (2 + 2 * number(s["group"])));
}

std::vector<ladder::Field> fields(const Output& out) {
  const auto& o = out.output;
  return {ladder::field("output", o, tensor::extent(o, 0), tensor::extent(o, 1), tensor::extent(o, 2))};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error).
///   Q, K, V:  sums over width: error e of every entry.
///   score:    q · k_j moves by the error of k_j, another for each j: e · |q|; and its own sum rounds. Both are independent from
///             key to key. The error of q moves all scores of a row together, by e · |k|: nothing of it averages away.
///   head:     as in chapter 2, max |v| times the errors of the weights: the independent ones times the concentration, the
///             common one in full. V's own error is averaged; the sum over the keys rounds.
///   output:   a sum over heads · dim: independent errors of the heads weigh with the norm of W_O's columns; and it rounds.
/// One chain a sum, which all rungs keep below.
std::vector<ladder::ReferenceField> reference_fields(const Problem& p, const Reference& r, const ladder::Blocks&) {
  using numerics::sum_error;
  using numerics::unit_roundoff;
  const double entry = r.projection * sum_error(number(p.width()));
  const double independent = entry * r.query_norm + r.score * (sum_error(number(p.dim())) + 3 * unit_roundoff);
  const double common = entry * r.key_norm;
  const double head = r.value * (r.concentration * (2 * independent + 4 * unit_roundoff) + 2 * common) + entry +
                      2 * std::max(r.value * r.concentration, r.head) * (sum_error(number(p.n())) + 4 * unit_roundoff);
  // Below the smallest normal number a rounding is no longer a share of the result, but half of the smallest number there is.
  const double terms = number(p.width()) + number(p.n()) + number(p.heads() * p.dim());
  const double underflow = terms * static_cast<double>(std::numeric_limits<float>::denorm_min()) * std::max(1.0, r.column_norm);
  return {ladder::reference_field("output", r.output, p.batch(), tensor::extent(r.output, 1), p.width(),
                                  head * r.column_norm + r.sum * sum_error(number(p.heads() * p.dim())) + underflow)};
}

std::vector<ladder::NamedTensor> tensors(const Problem& p) {
  using ladder::named;
  return {named("input", p.input), named("W_Q", p.W_Q), named("W_K", p.W_K), named("W_V", p.W_V), named("W_O", p.W_O)};
}

Problem from_inputs(const ladder::Inputs& inputs) {
  Problem p{inputs.tensor<3>(0, 2), inputs.tensor<3>(1, 3), inputs.tensor<3>(2, 3),
            inputs.tensor<3>(3, 3), inputs.tensor<3>(4, 3), inputs.setting("causal", 0) == 1, {}, {}, {}};
  expect_sizes("W_Q", p.W_Q, p.heads(), p.width(), p.dim());
  expect_sizes("W_K", p.W_K, p.key_heads(), p.width(), p.dim());
  expect_sizes("W_V", p.W_V, p.key_heads(), p.width(), p.dim());
  expect_sizes("W_O", p.W_O, p.heads(), p.dim(), p.width());
  if (p.heads() % p.key_heads() != 0)
    throw program::UserError(fmt::format("{} heads cannot share {} key heads evenly", p.heads(), p.key_heads()));
  return p;
}

MultiHead describe(bool grouped) {
  MultiHead m;
  m.name = grouped ? "grouped_query" : "multi_head";
  m.title = grouped ? "Grouped-query attention" : "Multi-head attention";
  m.citation = grouped ? "Ainslie et al. 2023, GQA, section 2.2" : "Vaswani et al. 2017, Attention Is All You Need, section 3.2.2";
  m.chapter = "03_multi_head_attention";
  m.keys = {{"batch", "sequences", 1, "", 1, {1, 2}},
            {"n", "rows of a sequence", 512, "", 1, {}},
            {"width", "columns of a sequence", 512, "", 1, {1, 5, 16, 33, 70}},
            {"key_heads", "heads of K and V", grouped ? 2 : 8, "", 1, {1, 2, 3}},
            {"group", "heads of Q for each of them", grouped ? 4 : 1, "", 1, grouped ? std::vector<Index>{2, 3} : std::vector<Index>{1}},
            {"dim", "columns of a head", 64, "", 1, {1, 3, 16, 33, 64}},
            {"causal", "1: no row sees a later one", 0, "", 0, {0, 1}}};
  if (grouped) {
    m.standard_shapes = {{"1024x512-8on2", "n=1024,key_heads=2,group=4", true}};
    m.sweeps = {{"n", {"n"}, {64, 128, 256, 512}, "width=256,key_heads=1,group=4"}};
  } else {
    m.standard_shapes = {{"512x512", "n=512"}, {"2048x512", "n=2048", true}, {"2048x512-causal", "n=2048,causal=1"}};
    m.sweeps = {{"n", {"n"}, {64, 128, 256, 512, 1024}, "width=256,key_heads=4"},
                {"dim", {"dim"}, {8, 32, 128}, "n=512,width=256,key_heads=4"}};
  }
  m.tile_edges = {simd::tile_rows, 8 * simd::tile_rows};
  m.make = make;
  m.shape_of = shape_of;
  m.prepare = prepare;
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.rows = [](const Problem& p) { return p.queries(); };
  m.take_rows = take_rows;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"input", "W_Q", "W_K", "W_V", "W_O"};
  m.settings = {{"causal", "1: no row sees a later one", 0, 1}};
  m.ladder = {
      {"formula", "the equations in xtensor", formula, loops_workspace, {}, false},
      {"loops", "head by head, row by row", loops, loops_workspace, {}, false},
      {"openmp", "heads and rows shared among the threads", openmp, loops_workspace},
      {"packed", "one blocked product for Q, K and V of all heads", packed, packed_workspace},
      {"simd", "register-blocked products in the heads too", multi_head::simd, simd_workspace},
      {"fused", "heads stay columns: no copies, no n × n matrix", fused, fused_workspace},
      {"projected", "W_O while the heads of a block of rows are in the cache", projected, projected_workspace, {}, true, false, 1, true},
  };
#ifdef ATTENTION_HAS_OPENBLAS
  m.ladder.push_back({"openblas", "library products, head by head", openblas, openblas_workspace, {}, true, true});
#endif
  return m;
}

}  // namespace

const MultiHead& mechanism() {
  static const MultiHead description = describe(false);
  return description;
}

const MultiHead& grouped_mechanism() {
  static const MultiHead description = describe(true);
  return description;
}

std::vector<ladder::MechanismPtr> mechanisms() {
  return {ladder::publish(mechanism()), ladder::publish(grouped_mechanism()), ladder::publish(backward())};
}

}  // namespace attention::multi_head
