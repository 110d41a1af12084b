#pragma once

#include "key_value_cache.hpp"
#include "self_attention.hpp"

namespace attention::self_attention {

/// Causal self-attention that is given its sequence piece by piece, as a text is read and then written: one token or several at
/// a time. Each piece is projected, its keys and values go to the cache, and its queries attend to all that the cache holds. The
/// outputs are those of the whole sequence at once, up to rounding.
class CausalDecoder {
 public:
  /// `layer` gives weights, positions and mask; its input is not looked at. `batch` sequences are written side by side.
  /// Throws UserError where the mask lets a token see a later one: that one would not be there yet.
  explicit CausalDecoder(const Problem& layer, Index batch = 1, Index capacity = 16,
                         KeyValueCache::Growth growth = KeyValueCache::Growth::doubling);

  /// The next tokens, [batch, count, width], and their outputs: output [batch, count, heads, dim], lse [batch, heads, count].
  /// Throws UserError for tokens of another batch or width, for none, for more than a fixed cache has room for, and for a
  /// position beyond the table of learned ones; then nothing has changed.
  void append(const Tensor<3>& tokens, Output& out);

  /// Forgets all tokens but the first `size`.
  void truncate(Index size) { cache_.truncate(size); }

  Index size() const { return cache_.size(); }
  const KeyValueCache& cache() const { return cache_; }

 private:
  Problem piece_;  ///< the layer; its input is the newest piece
  Index batch_;
  Index first_position_;
  std::vector<float> slopes_;  ///< ALiBi's, else empty
  tensor::Buffer weights_;     ///< W_Q, W_K and W_V side by side, packed once: [width × 3 · heads · dim]
  KeyValueCache cache_;
};

}  // namespace attention::self_attention
