#pragma once

#include <optional>
#include <vector>

#include "conformance/case.hpp"
#include "fused_attention.hpp"

/// The operator Attention, whatever its layout, as matrices that lie somewhere and a rule that says which query sees which key.
namespace attention::conformance {

using dot_product::KeyRange;
using dot_product::Mask;
using dot_product::Rows;

/// K or V: past rows followed by new ones. Where there is no past, the rows stay where the case has them.
struct Cache {
  Index past = 0;                    ///< rows of it
  Rows<const float> rows;            ///< [batch, key_heads, keys, width]
  Rows<const std::uint16_t> rows16;  ///< the same in float16, where the case has it so; else data is null
  std::vector<float> own;            ///< what `rows` points to, where it is no tensor of the case
  std::vector<std::uint16_t> own16;

  Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;
};

/// attn_mask: boolean or additive, repeated along the axes on which it has length 1, and shorter than the keys or not.
struct GivenMask {
  Rows<const bool> allowed;  ///< data null: not boolean
  Rows<const float> added;   ///< data null: not additive
  Index keys = 0;            ///< that it speaks of; none of those behind is seen
  std::vector<float> own;    ///< what `added` points to, where it is no tensor of the case

  GivenMask() = default;
  GivenMask(const GivenMask&) = delete;
  GivenMask& operator=(const GivenMask&) = delete;
};

/// The type in which the softmax is computed, numbered as the standard does.
enum class SoftmaxType { float32 = 1, float16 = 10, float64 = 11, bfloat16 = 16 };

/// The fourth output: the scores after this step.
enum class ScoreStage { product = 0, softcap = 1, mask = 2, softmax = 3 };

struct AttentionProblem {
  explicit AttentionProblem(const Case& given);

  Index batch = 0, heads = 0, key_heads = 0, queries = 0, keys = 0, dim = 0, value_dim = 0;
  bool packed = false;  ///< [batch, n, heads · width], else [batch, heads, n, width]
  float scale = 1;
  float softcap = 0;  ///< above 0: s becomes softcap · tanh(s / softcap)
  std::optional<SoftmaxType> softmax_type;
  ScoreStage stage = ScoreStage::product;

  std::vector<float> own_query;  ///< in float32, where the case has float16
  Rows<const float> query;
  Cache key, value;
  std::optional<GivenMask> given_mask;
  Mask mask;                   ///< causality and window; its offset is the number of past keys
  std::vector<Index> lengths;  ///< [batch] of the keys, by nonpad_kv_seqlen; empty: all
  std::vector<Index> offsets;  ///< [batch] in the place of mask.offset; empty: that

  /// Where the output lies: of the queries' rank.
  Shape output_shape() const;
  template <class Real>
  Rows<Real> output_rows(Real* data) const {
    return rows_in(data, packed, heads, queries, value_dim);
  }
  /// The keys that a query may see by causality, window and lengths.
  KeyRange keys_of(Index b, Index i) const;
  /// The same, and by the given mask.
  bool sees(Index b, Index h, Index i, Index j) const;
  /// Whether some query may see fewer than all keys.
  bool masks() const { return !mask.is_full() || given_mask || !lengths.empty(); }
  /// Keys of one problem of the batch that a query may see at all.
  Index length(Index b) const;

  template <class Real>
  static Rows<Real> rows_in(Real* data, bool packed, Index heads, Index n, Index width) {
    if (packed) return {data, n * heads * width, width, heads * width};
    return {data, heads * n * width, n * width, width};
  }
};

/// What the plain operator gives.
struct PlainAnswer {
  std::vector<float> output;  ///< laid out as the operator's
  std::vector<float> scores;  ///< [batch, heads, queries, keys] after problem.stage, where they are asked
  /// Over the rows, the largest |maximum of what the mask adds to the keys that are seen|.
  float largest_shift = 0;
};

/// Row by row, as the operator's text has it. Numbers are float32 between the steps, sums float64.
PlainAnswer plain_attention(const AttentionProblem& problem, bool keep_scores);

}  // namespace attention::conformance
