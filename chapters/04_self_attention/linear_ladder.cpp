// The table of rungs, and what those who walk the ladder need to know of linear attention.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ladder/publish.hpp"
#include "ladder/tensor_fields.hpp"
#include "linear_attention.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "rungs/linear_rungs.hpp"

namespace attention::self_attention {

namespace {

using ladder::number;

ladder::Shape shape_of(const LinearProblem& p) {
  return ladder::Shape(
      {{"batch", p.batch()}, {"heads", p.heads()}, {"n", p.n()}, {"dim", p.dim()}, {"value_dim", p.value_dim()}});
}

double footprint(const ladder::Shape& s) {
  const double dim = number(s["dim"]);
  const double value_dim = number(s["value_dim"]);
  return 4 * number(s["batch"]) * number(s["heads"]) * (number(s["n"]) * 2 * (dim + value_dim) + dim * (value_dim + 1));
}

std::vector<ladder::Field> fields(const LinearOutput& out) {
  const Index heads = tensor::extent(out.output, 0) * tensor::extent(out.output, 1);
  const Index dim = tensor::extent(out.state, 2);
  const Index value_dim = tensor::extent(out.output, 3);
  return {ladder::field("output", out.output, heads, tensor::extent(out.output, 2), value_dim),
          ladder::field("state", out.state, heads, dim, value_dim), ladder::field("normalizer", out.normalizer, heads, dim, 1)};
}

/// What rounding explains, to first order (c = 6 standard deviations stands in sum_error). All features are positive, so sums of
/// them lose nothing by cancellation; only those with V do, and V may have any sign.
///   φ:      exp(x) is off by 4 u of itself, and by |x| u more for the rounding of its argument.
///   φ(q):   the same error for the whole row: Σ_c φ(q_c) ε_c (S_c − o z_c) / D, taken in full. That is query_terms.
///   φ(k):   independent errors of every term, which average out by the concentration; they move o by at most 2 |v| each.
///   over the tokens: S_c rounds in proportion to its partial sums, of which a block's is the difference of two; every c is
///           multiplied by φ(q_c): output_sums. The sum of the weights rounds in proportion to itself: |o|.
///   over dim: as much once more where S is asked; where pairs are weighed, each weight rounds by itself, and they average out.
/// For every row by itself, with the tokens that it sees: the first rows are large and exact, the last small and long.
double output_bound(const LinearProblem& p, const LinearReference& r, const ladder::Blocks& blocks) {
  using numerics::chain;
  using numerics::sum_error;
  constexpr double u = numerics::unit_roundoff;
  const double over_dim = sum_error(chain(number(p.dim()), blocks.scores)) + 3 * u;
  double bound = 0;
  for (std::size_t row = 0; row < r.output_sums.size(); ++row) {
    const double tokens = number(static_cast<Index>(row) % p.n() + 1);
    const double over_tokens = sum_error(chain(tokens, blocks.values)) + 3 * u;
    const double* o = r.output.data() + static_cast<Index>(row) * p.value_dim();
    double output = 0;
    for (Index x = 0; x < p.value_dim(); ++x)
      if (std::isfinite(o[x])) output = std::max(output, std::abs(o[x]));
    const double key_error = 6 * (4 + r.largest_key[row]) * u;
    const double one = u * r.query_terms[row] + 2 * r.largest_value[row] * r.concentration[row] * (key_error + over_dim) +
                       (2 * r.output_sums[row] + output) * over_tokens + (r.output_sums[row] + output) * over_dim;
    if (std::isfinite(one)) bound = std::max(bound, one);
  }
  return bound;
}

std::vector<ladder::ReferenceField> reference_fields(const LinearProblem& p, const LinearReference& r, const ladder::Blocks& blocks) {
  using numerics::largest_finite;
  const double over_tokens = numerics::sum_error(numerics::chain(number(p.n()), blocks.values));
  const double key_error = 6 * (4 + *std::ranges::max_element(r.largest_key)) * numerics::unit_roundoff;
  const double largest_z = largest_finite(r.normalizer);
  // A feature too small for float32's full precision is off by half its last digit, which a value may enlarge.
  const double smallest = number(p.n()) * (1 + *std::ranges::max_element(r.largest_value)) *
                          static_cast<double>(std::numeric_limits<float>::denorm_min());
  return {ladder::reference_field("output", r.output, p.all_heads(), p.n(), p.value_dim(), output_bound(p, r, blocks)),
          ladder::reference_field("state", r.state, p.all_heads(), p.dim(), p.value_dim(),
                                  2 * r.state_sums * over_tokens + r.state_terms * key_error + smallest),
          ladder::reference_field("normalizer", r.normalizer, p.all_heads(), p.dim(), 1, largest_z * (over_tokens + key_error) + smallest)};
}

std::vector<ladder::NamedTensor> tensors(const LinearProblem& p) {
  using ladder::named;
  return {named("query", p.query), named("key", p.key), named("value", p.value)};
}

/// Each file holds [n, dim], [heads, n, dim] or [batch, heads, n, dim].
LinearProblem from_inputs(const ladder::Inputs& inputs) {
  const LinearProblem p{inputs.tensor<4>(0, 2), inputs.tensor<4>(1, 2), inputs.tensor<4>(2, 2)};
  const auto same = [](const char* what, Index query, const char* name, Index other) {
    if (query != other)
      throw program::UserError(fmt::format("{}: the query has {}, the {} has {}; they must be equal", what, query, name, other));
  };
  for (const auto& [name, tensor] : {std::pair("key", &p.key), std::pair("value", &p.value)}) {
    same("batch", p.batch(), name, tensor::extent(*tensor, 0));
    same("heads", p.heads(), name, tensor::extent(*tensor, 1));
    same("n", p.n(), name, tensor::extent(*tensor, 2));
  }
  same("dim", p.dim(), "key", tensor::extent(p.key, 3));
  return p;
}

LinearAttention describe() {
  LinearAttention m;
  m.name = "linear_attention";
  m.title = "Causal linear attention";
  m.citation = "Katharopoulos et al. 2020, Transformers are RNNs, equations 5 to 12";
  m.chapter = "04_self_attention";
  m.keys = {{"batch", "independent sequences", 1, "", 1, {1, 2}},
            {"heads", "heads", 1, "", 1, {1, 3, 5}},
            {"n", "tokens of a sequence", 512, "", 1, {}},
            {"dim", "columns of Q and K", 64, "", 1, {1, 2, 7, 16, 33, 64, 70}},
            {"value_dim", "columns of V", 64, "dim", 1, {1, 3, 16, 31, 64, 66, 130}}};
  m.standard_shapes = {{"2x1024x64", "heads=2,n=1024,dim=64"},
                       {"4x4096x64", "heads=4,n=4096,dim=64"},
                       {"8x16384x64", "heads=8,n=16384,dim=64", true},
                       {"1x16384x64", "heads=1,n=16384,dim=64", false, true},
                       {"8x16384x128", "heads=8,n=16384,dim=128", false, true}};
  m.sweeps = {{"n", {"n"}, {128, 256, 512, 1024, 2048}, "heads=1,dim=64"},
              {"dim", {"dim", "value_dim"}, {16, 32, 64, 128}, "heads=1,n=512"}};
  m.tile_edges = {linear_chunk, 2 * linear_chunk};
  m.make = make_linear;
  m.shape_of = shape_of;
  m.prepare = [](const LinearProblem& p, LinearOutput& out) { prepare(p, out, true); };
  m.reference = reference;
  m.cost = cost;
  m.footprint = footprint;
  m.fields = fields;
  m.reference_fields = reference_fields;
  m.tensors = tensors;
  m.from_inputs = from_inputs;
  m.tensor_names = {"query", "key", "value"};

  // The last column: after so many terms a sum starts anew, over dim and over the tokens (0: never). The tokens of a head hang
  // together, so no row can be timed alone.
  m.ladder = {
      {"formula", "all pairs in xtensor, weights stored", linear_formula, linear_formula_workspace, {}, false},
      {"loops", "the recurrence: a state in the place of the past", linear_loops, linear_loops_workspace, {}, false},
      {"openmp", "heads shared among the threads", linear_openmp, linear_openmp_workspace},
      {"chunked", "pairs within chunks of 64, the state between them", linear_chunked, linear_chunked_workspace, {0, number(linear_chunk)}},
      {"simd", "register-blocked products, vector exp", linear_simd, linear_simd_workspace, {0, number(linear_chunk)}},
  };
  return m;
}

}  // namespace

const LinearAttention& linear_attention() {
  static const LinearAttention description = describe();
  return description;
}

ladder::MechanismPtr linear_mechanism() { return ladder::publish(linear_attention()); }

}  // namespace attention::self_attention
