#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.hpp"
#include "tokeniser.hpp"

namespace attention::self_attention {

using tensor::Index;

/// x W + b, W packed for the micro-kernel.
struct Dense {
  Index inputs = 0;
  Index outputs = 0;
  tensor::Buffer weights;  ///< packed
  tensor::Buffer bias;     ///< [outputs]
};

/// (x − mean) / sqrt(variance + 1e-6) · scale + shift over a row (Ba et al. 2016, Layer Normalization, equation 3).
struct LayerNorm {
  tensor::Buffer scale, shift;  ///< [width]
};

/// One layer of the encoder, normalised before each part:
///
///     y = R x + O · attention(norm(x))          R: the identity, or dense where the widths differ
///     z = y + F₂ · max(0, F₁ · norm(y))
struct EncoderLayer {
  Index heads = 0;
  Index head_dim = 0;
  LayerNorm before_attention, before_feed_forward;
  Dense projections;  ///< to Q, K and V, side by side
  Dense output, first, second;
  Dense residual;  ///< no outputs: the identity
};

/// A sentence as 512 numbers: the Universal Sentence Encoder Lite (Cer et al. 2018, Universal Sentence Encoder, section 2.2), a
/// transformer encoder (Vaswani et al. 2017, section 3.1) of two layers that others trained. Similar sentences have a large
/// product.
class SentenceEncoder {
 public:
  static constexpr Index most_tokens = 128;
  static constexpr Index width = 512;

  /// Reads model.json with its shards, and vocab.json. Throws UserError, naming the file, for one that is missing or damaged.
  explicit SentenceEncoder(const std::filesystem::path& folder);

  const Tokeniser& tokeniser() const { return tokeniser_; }

  /// The embedding of a sentence, of length 1; its first 128 pieces count. An empty sentence has one too: that of a mean over
  /// nothing, 0. Throws UserError for text that is not UTF-8.
  std::vector<float> embed(std::string_view sentence) const;
  /// The same from pieces. Throws std::out_of_range for a number that is none.
  std::vector<float> embed_pieces(std::span<const std::size_t> pieces) const;
  /// All sentences, shared among the threads.
  std::vector<std::vector<float>> embed_all(std::span<const std::string> sentences) const;

 private:
  Tokeniser tokeniser_;
  Index embedding_width_ = 0;
  tensor::Buffer embeddings_;  ///< [pieces, embedding_width], twice the stored ones
  tensor::Buffer positions_;   ///< [most_tokens, embedding_width]
  std::vector<EncoderLayer> layers_;
  Dense last_;
};

}  // namespace attention::self_attention
