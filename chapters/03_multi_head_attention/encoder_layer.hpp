#pragma once

#include <span>
#include <vector>

#include "simd/matrix_product.hpp"
#include "tensor/tensor.hpp"

/// The layer of a transformer's encoder (Vaswani et al. 2017, section 3.1), with weights that others trained.
namespace attention::multi_head {

using tensor::Index;

/// x W + b, W packed for the micro-kernel. All matrices of a model lie in one memory, so that it has huge pages.
struct Dense {
  Index inputs = 0;
  Index outputs = 0;
  const float* weights = nullptr;  ///< packed
  tensor::Buffer bias;             ///< [outputs]
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

/// What is asked of the heads beside their outputs; as a rule, nothing.
struct HeadProbe {
  Index removed = -1;  ///< the output of this head is taken as 0; heads are counted through all layers
  std::vector<tensor::Tensor<2>>* maps = nullptr;  ///< gains the weights of every head, [tokens, tokens]
};

/// to[rows × outputs] = x W + b, with all threads; `finish` says what else is done with it, its bias aside.
void apply(const Dense& dense, Index rows, const float* x, float* to, simd::Finish finish = {});

/// x[rows × inputs] becomes the layer's result, [rows × width], with all threads. `first_head`: the number of its first head.
void apply(const EncoderLayer& layer, Index rows, tensor::UnsetBuffer& x, Index first_head, const HeadProbe& probe);

}  // namespace attention::multi_head
