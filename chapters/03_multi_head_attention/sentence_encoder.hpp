#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encoder_layer.hpp"
#include "tensor/tensor.hpp"
#include "tokeniser.hpp"

namespace attention::multi_head {

/// A sentence as 512 numbers: the Universal Sentence Encoder Lite (Cer et al. 2018, Universal Sentence Encoder, section 2.2), a
/// transformer encoder (Vaswani et al. 2017, section 3.1) of two layers that others trained. Similar sentences have a large
/// product.
class SentenceEncoder {
 public:
  static constexpr Index most_tokens = 128;
  static constexpr Index width = 512;
  static constexpr Index heads_of_a_layer = 4;

  SentenceEncoder(const SentenceEncoder&) = delete;  // the layers point into it
  SentenceEncoder& operator=(const SentenceEncoder&) = delete;

  /// Reads model.json with its shards, and vocab.json. Throws UserError, naming the file, for one that is missing or damaged.
  explicit SentenceEncoder(const std::filesystem::path& folder);

  const Tokeniser& tokeniser() const { return tokeniser_; }
  /// Of all layers.
  Index heads() const;
  /// Operations of a sentence of so many pieces: two for each multiply-add of its matrix products.
  double flops(Index tokens) const;

  /// What the encoder begins with for a piece: its learnt vector, 256 numbers. Throws std::out_of_range for a number that is none.
  std::span<const float> piece_vector(std::size_t piece) const;

  /// The embedding of a sentence, of length 1; its first 128 pieces count. An empty sentence has one too: that of a mean over
  /// nothing, 0. Throws UserError for text that is not UTF-8.
  std::vector<float> embed(std::string_view sentence) const;
  /// The same from pieces. Throws std::out_of_range for a number that is none.
  std::vector<float> embed_pieces(std::span<const std::size_t> pieces, const HeadProbe& probe = {}) const;
  /// All sentences, shared among the threads.
  std::vector<std::vector<float>> embed_all(std::span<const std::string> sentences) const;

 private:
  Tokeniser tokeniser_;
  Index embedding_width_ = 0;
  tensor::Buffer embeddings_;  ///< [pieces, embedding_width], twice the stored ones
  tensor::Buffer positions_;   ///< [most_tokens, embedding_width]
  tensor::Buffer matrices_;    ///< of the layers, packed
  std::vector<EncoderLayer> layers_;
  Dense last_;
};

/// The product of two embeddings: their cosine, since both have length 1.
double similarity(std::span<const float> a, std::span<const float> b);

}  // namespace attention::multi_head
