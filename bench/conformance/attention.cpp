// Attention: the plain operator, and every rung of chapter 2 that can serve the case.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "conformance/attention_problem.hpp"
#include "conformance/operators.hpp"
#include "dot_product.hpp"
#include "simd/finite.hpp"

namespace attention::conformance {

namespace {

/// Beyond this an additive mask rounds away digits of the scores, and how many depends on the order of the operations: beside 64,
/// float32 rounds to 2^-18, a third of the tolerance that we aim at. Where a whole row is so, only the operator's own order serves.
constexpr float largest_shift = 64;

/// For the rungs that store all weights, or are slow.
constexpr double most_work = 0x1p31;
constexpr std::size_t most_workspace = std::size_t{1} << 28;

/// The rungs compute their softmax in float32.
bool softmax_in_float32(const AttentionProblem& p) {
  return p.softmax_type.value_or(SoftmaxType::float32) == SoftmaxType::float32;
}

bool has_no_empty_axis(const AttentionProblem& p) { return std::min({p.batch, p.queries, p.keys, p.dim, p.value_dim}) > 0; }

/// Whether no zero times what V holds is anything but zero.
bool values_are_finite(const AttentionProblem& p) {
  for (Index b = 0; b < p.batch; ++b)
    for (Index h = 0; h < p.key_heads; ++h)
      if (!simd::all_finite(p.value.rows.row(b, h, 0), p.value.rows.row_stride, p.keys, p.value_dim)) return false;
  return true;
}

/// The fused kernel on the case as it lies in memory: nothing is copied, float16 keys and values are read as they are stored.
std::vector<float> fused_in_place(const AttentionProblem& p) {
  std::vector<float> output(static_cast<std::size_t>(p.batch * p.heads * p.queries * p.value_dim));
  std::vector<Index> lengths;
  for (Index b = 0; b < p.batch; ++b) lengths.push_back(p.length(b));
  dot_product::FusedProblem f;
  f.batch = p.batch;
  f.heads = p.heads;
  f.key_heads = p.key_heads;
  f.queries = p.queries;
  f.keys = p.keys;
  f.dim = p.dim;
  f.value_dim = p.value_dim;
  f.query = p.query;
  if (p.key.rows16.data && p.value.rows16.data) {
    f.storage = simd::Storage::float16;
    f.key16 = p.key.rows16;
    f.value16 = p.value.rows16;
  } else {
    f.key = p.key.rows;
    f.value = p.value.rows;
  }
  f.output = p.output_rows(output.data());
  f.scale = p.scale;
  f.softcap = p.softcap;
  f.mask = p.mask;
  f.key_lengths = lengths.data();
  if (!p.offsets.empty()) f.key_offsets = p.offsets.data();
  if (p.given_mask) {
    f.allowed = p.given_mask->allowed;
    f.bias = p.given_mask->added;
  }
  dot_product::fused_attention(f);
  return output;
}

tensor::Tensor<4> copied(const Rows<const float>& rows, Index first, Index batch, Index heads, Index n, Index width) {
  const auto size = [](Index x) { return static_cast<std::size_t>(x); };
  auto copy = tensor::empty<4>({size(batch), size(heads), size(n), size(width)});
  float* to = copy.data();
  for (Index b = first; b < first + batch; ++b)
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < n; ++i, to += width) std::copy_n(rows.row(b, h, i), width, to);
  return copy;
}

/// Some problems of the batch as a rung of the ladder takes them.
struct Piece {
  Index first;  ///< of the batch
  dot_product::Problem problem;
};

/// The case as problems of the ladder: all in one, or one each where their lengths differ; those without keys are left out.
std::vector<Piece> pieces_of(const AttentionProblem& p) {
  std::vector<Piece> pieces;
  const Index each = p.lengths.empty() ? p.batch : 1;
  for (Index b = 0; b < p.batch; b += each) {
    const Index keys = p.length(b);
    if (keys == 0) continue;
    Piece piece{b, {}};
    piece.problem.query = copied(p.query, b, each, p.heads, p.queries, p.dim);
    piece.problem.key = copied(p.key.rows, b, each, p.key_heads, keys, p.dim);
    piece.problem.value = copied(p.value.rows, b, each, p.key_heads, keys, p.value_dim);
    piece.problem.scale = p.scale;
    piece.problem.mask = p.mask;
    if (!p.offsets.empty()) piece.problem.mask.offset = p.offsets[static_cast<std::size_t>(b)];
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

/// Whether the rung gives a masked key the weight 0 and multiplies its value by it, instead of passing it over.
bool multiplies_masked_values(std::string_view rung) { return rung == "formula" || rung == "simd" || rung == "openblas"; }

void check_ladder(const AttentionProblem& p, const CaseTensor& expected, Report& report) {
  const double work = static_cast<double>(p.batch * p.heads * p.queries * p.keys) * static_cast<double>(p.dim + p.value_dim);
  if (work > most_work) return;
  const std::vector<Piece> pieces = pieces_of(p);
  if (pieces.empty()) return;
  const bool unsafe = !p.mask.is_full() && !values_are_finite(p);
  for (const auto& rung : dot_product::mechanism().ladder) {
    if (rung.variant || (unsafe && multiplies_masked_values(rung.name))) continue;
    if (std::ranges::any_of(pieces,
                            [&](const Piece& piece) { return rung.workspace && rung.workspace(piece.problem) > most_workspace; }))
      continue;
    std::vector<float> output(static_cast<std::size_t>(p.batch * p.heads * p.queries * p.value_dim));
    const Rows<float> to = p.output_rows(output.data());
    for (const Piece& piece : pieces) {
      dot_product::Output out;
      rung.run(piece.problem, out);
      const float* from = out.output.data();
      for (Index b = piece.first; b < piece.first + piece.problem.batch(); ++b)
        for (Index h = 0; h < p.heads; ++h)
          for (Index i = 0; i < p.queries; ++i, from += p.value_dim) std::copy_n(from, p.value_dim, to.row(b, h, i));
    }
    report.check(std::string(rung.name), expected, output);
  }
}

/// The rows of K or V, past and new, as [batch, key_heads, keys, width].
std::vector<float> as_present(const AttentionProblem& p, const Cache& cache, Index width) {
  std::vector<float> present;
  present.reserve(static_cast<std::size_t>(p.batch * p.key_heads * p.keys * width));
  for (Index b = 0; b < p.batch; ++b)
    for (Index h = 0; h < p.key_heads; ++h)
      for (Index j = 0; j < p.keys; ++j) present.insert(present.end(), cache.rows.row(b, h, j), cache.rows.row(b, h, j) + width);
  return present;
}

}  // namespace

void run_attention(const Case& given, Report& report) {
  const AttentionProblem p(given);
  const CaseTensor& output = *given.output(0);
  require_same_dtype(output, *given.input(0));
  require_shape(output, p.output_shape());
  const struct {
    const CaseTensor* present;
    const CaseTensor& now;
    const Cache& cache;
    Index width;
  } presents[] = {{given.output(1), *given.input(1), p.key, p.dim}, {given.output(2), *given.input(2), p.value, p.value_dim}};
  for (const auto& [present, now, cache, width] : presents)
    if (present) {
      require_same_dtype(*present, now);
      require_shape(*present, {p.batch, p.key_heads, p.keys, width});
    }
  const CaseTensor* scores = given.output(3);
  if (scores) {
    require_same_dtype(*scores, *given.input(0));
    require_shape(*scores, {p.batch, p.heads, p.queries, p.keys});
  }

  const PlainAnswer plain = plain_attention(p, scores != nullptr);
  report.check("plain", output, plain.output);
  if (scores) report.check("plain", *scores, plain.scores);
  for (const auto& [present, now, cache, width] : presents)
    if (present) report.check("plain", *present, as_present(p, cache, width));

  if (!softmax_in_float32(p) || !has_no_empty_axis(p)) return;
  if (plain.largest_shift <= largest_shift) report.check("fused_in_place", output, fused_in_place(p));
  if (!p.given_mask && !(p.softcap > 0) && p.scale > 0) check_ladder(p, output, report);
}

}  // namespace attention::conformance
