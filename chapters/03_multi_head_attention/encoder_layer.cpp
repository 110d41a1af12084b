#include "encoder_layer.hpp"

#include <algorithm>
#include <cmath>

#include "fused_attention.hpp"
#include "rungs/heads.hpp"

namespace attention::multi_head {

namespace {

void normalise(const LayerNorm& norm, Index rows, const float* x, float* to) {
  const auto width = static_cast<Index>(norm.scale.size());
  for (Index i = 0; i < rows; ++i, x += width, to += width) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index c = 0; c < width; ++c) sum += x[c];
    const float mean = sum / static_cast<float>(width);
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (Index c = 0; c < width; ++c) squares += (x[c] - mean) * (x[c] - mean);
    const float factor = 1 / std::sqrt(squares / static_cast<float>(width) + 1e-6F);
#pragma omp simd
    for (Index c = 0; c < width; ++c) to[c] = (x[c] - mean) * factor * norm.scale[size(c)] + norm.shift[size(c)];
  }
}

/// softmax(Q Kᵀ / sqrt(head_dim)) V for each head: Q, K and V are columns of one matrix, and so is the result.
void attend_heads(const EncoderLayer& layer, Index rows, const float* projected, float* to) {
  const Index inner = layer.heads * layer.head_dim;
  dot_product::FusedProblem f;
  f.heads = f.key_heads = layer.heads;
  f.queries = f.keys = rows;
  f.dim = f.value_dim = layer.head_dim;
  f.query = {projected, 0, layer.head_dim, 3 * inner};
  f.key = {projected + inner, 0, layer.head_dim, 3 * inner};
  f.value = {projected + 2 * inner, 0, layer.head_dim, 3 * inner};
  f.output = {to, 0, layer.head_dim, inner};
  f.scale = 1 / std::sqrt(static_cast<float>(layer.head_dim));
  dot_product::fused_attention(f);
}

/// The weights of all heads, from the same Q and K: the fused kernel keeps none, chapter 2's rung "simd" does.
void add_maps(const EncoderLayer& layer, Index rows, const float* projected, std::vector<tensor::Tensor<2>>& maps) {
  const Index dim = layer.head_dim;
  const Index inner = layer.heads * dim;
  dot_product::Problem heads;
  Index first = 0;  // column of Q, K or V
  for (tensor::Tensor<4>* part : {&heads.query, &heads.key, &heads.value}) {
    *part = tensor::empty<4>({1, size(layer.heads), size(rows), size(dim)});
    for (Index h = 0; h < layer.heads; ++h)
      for (Index i = 0; i < rows; ++i) std::copy_n(projected + i * 3 * inner + first + h * dim, dim, part->data() + (h * rows + i) * dim);
    first += inner;
  }
  heads.scale = 1 / std::sqrt(static_cast<float>(dim));
  dot_product::Output out = attend("simd", heads);
  for (Index h = 0; h < layer.heads; ++h) {
    maps.push_back(tensor::empty<2>({size(rows), size(rows)}));
    std::copy_n(out.weights_of(0, h), rows * rows, maps.back().data());
  }
}

}  // namespace

void apply(const Dense& d, Index rows, const float* x, float* to, simd::Finish finish) {
  finish.bias = d.bias.data();
  simd::multiply_packed_parallel(rows, d.outputs, d.inputs, x, d.inputs, d.weights, to, d.outputs, finish);
}

void apply(const EncoderLayer& layer, Index rows, tensor::UnsetBuffer& x, Index first_head, const HeadProbe& probe) {
  const Index inner = layer.heads * layer.head_dim;
  const Index width = layer.output.outputs;
  tensor::UnsetBuffer normal(size(rows * std::max(layer.projections.inputs, width)));
  tensor::UnsetBuffer wide(size(rows * std::max(3 * inner, layer.first.outputs)));
  tensor::UnsetBuffer attended(size(rows * inner));

  normalise(layer.before_attention, rows, x.data(), normal.data());
  apply(layer.projections, rows, normal.data(), wide.data());
  attend_heads(layer, rows, wide.data(), attended.data());
  if (probe.maps != nullptr) add_maps(layer, rows, wide.data(), *probe.maps);
  if (const Index h = probe.removed - first_head; probe.removed >= 0 && h >= 0 && h < layer.heads)
    for (Index i = 0; i < rows; ++i) std::fill_n(attended.data() + i * inner + h * layer.head_dim, layer.head_dim, 0.F);
  if (layer.residual.outputs > 0) {
    tensor::UnsetBuffer wider(size(rows * width));
    apply(layer.residual, rows, x.data(), wider.data());
    x = std::move(wider);
  }
  apply(layer.output, rows, attended.data(), x.data(), {.add = true});

  normalise(layer.before_feed_forward, rows, x.data(), normal.data());
  apply(layer.first, rows, normal.data(), wide.data(), {.rectify = true});
  apply(layer.second, rows, wide.data(), x.data(), {.add = true});
}

}  // namespace attention::multi_head
