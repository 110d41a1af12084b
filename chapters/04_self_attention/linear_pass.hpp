#pragma once

#include <cstddef>

#include "fused_attention.hpp"
#include "tensor/tensor.hpp"

/// Linear attention's kernels for others: matrices that lie anywhere, a state that goes on, fewer key heads than heads.
namespace attention::self_attention {

using tensor::Index;

/// Tokens of a chunk: they meet each other pair by pair, all earlier ones through the state. Pairs cost dim + value_dim
/// multiply-adds a token and half a chunk, the state 2 · dim · value_dim: with 64 columns the two are equal at 128. A sum over
/// the tokens starts anew with each chunk.
inline constexpr Index linear_chunk = 64;

/// What is done to the entries of Q and K before they are multiplied.
enum class FeatureMap {
  identity,      ///< nothing; `scale` is a factor on Q
  elu_plus_one,  ///< φ(x) = x + 1 for x > 0, else exp(x) (Katharopoulos et al. 2020, equation 7); `scale` is not used
};

/// All sizes are 1 and more. For every token in turn: S ← S + φ(k) vᵀ, z ← z + φ(k), output = Sᵀ φ(q), divided by z · φ(q) where z is given.
struct LinearPass {
  Index batch = 1;
  Index heads = 1;
  Index key_heads = 1;  ///< divides heads; heads h · heads/key_heads … share key head h and its state (Ainslie et al. 2023)
  Index n = 0;          ///< tokens
  Index dim = 0;
  Index value_dim = 0;
  dot_product::Rows<const float> query;  ///< [batch, heads, n, dim]
  dot_product::Rows<const float> key;    ///< [batch, key_heads, n, dim]
  dot_product::Rows<const float> value;  ///< [batch, key_heads, n, value_dim]
  dot_product::Rows<float> output;       ///< [batch, heads, n, value_dim]
  /// S: [batch, key_heads, dim, value_dim], side by side. Read: that of the tokens before, zeros without any. Written: with
  /// the n tokens taken in.
  float* state = nullptr;
  float* normalizer = nullptr;  ///< z: [batch, key_heads, dim], likewise; null: nothing is divided
  FeatureMap map = FeatureMap::elu_plus_one;
  float scale = 1;

  Index group() const { return heads / key_heads; }
  float* state_of(Index b, Index g) const { return state + (b * key_heads + g) * dim * value_dim; }
  float* normalizer_of(Index b, Index g) const { return normalizer ? normalizer + (b * key_heads + g) * dim : nullptr; }
};

/// All tokens by the top rung of the ladder: chunks of them through the micro-kernel, on all threads. The same bits with any
/// number of threads.
void linear_pass(const LinearPass& pass);
/// Bytes of memory that it takes beyond the matrices and the state, with the number of threads now in use.
std::size_t linear_pass_workspace(const LinearPass& pass);

/// Few tokens, one as a rule, while a text is being written: the recurrence itself, token by token. Its bits are those of the
/// rung "loops" wherever the sequence is cut.
void linear_step(const LinearPass& pass);

}  // namespace attention::self_attention
