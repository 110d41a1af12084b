#include "sentence_encoder.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <stdexcept>

#include "fused_attention.hpp"
#include "loaders/tfjs_weights.hpp"
#include "simd/matrix_product.hpp"

namespace attention::self_attention {

namespace {

using datasets::TfjsWeights;
using tensor::Buffer;

constexpr std::size_t size(Index n) { return static_cast<std::size_t>(n); }

Dense dense(std::span<const float> weights, std::span<const float> bias, Index inputs, Index outputs) {
  Dense d{inputs, outputs, Buffer(size(simd::packed_size(inputs, outputs))), Buffer(bias.begin(), bias.end())};
  simd::pack_panels(weights.data(), outputs, inputs, outputs, d.weights.data());
  return d;
}

/// to[rows × outputs] = x W + b.
void apply(const Dense& d, Index rows, const float* x, float* to, float* scratch) {
  simd::multiply_packed(rows, d.outputs, d.inputs, x, d.inputs, d.weights.data(), to, d.outputs, scratch);
  for (Index i = 0; i < rows; ++i)
#pragma omp simd
    for (Index c = 0; c < d.outputs; ++c) to[i * d.outputs + c] += d.bias[size(c)];
}

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
void attend(const EncoderLayer& layer, Index rows, const float* projected, float* to) {
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

EncoderLayer load_layer(const TfjsWeights& weights, std::string_view name, Index heads, Index inputs, Index inner, Index width, Index hidden) {
  const auto norm = [&](std::string_view part, Index n) {
    const auto scale = weights.find({name, part, "layer_norm_scale"}, {size(n)});
    const auto shift = weights.find({name, part, "layer_norm_bias"}, {size(n)});
    return LayerNorm{Buffer(scale.begin(), scale.end()), Buffer(shift.begin(), shift.end())};
  };
  EncoderLayer layer;
  layer.heads = heads;
  layer.head_dim = inner / heads;
  layer.before_attention = norm("TransformerLayer/layer_prepostprocess", inputs);
  layer.before_feed_forward = norm("FFN/layer_prepostprocess", width);
  layer.projections = dense(weights.find({name, "qkv_transform_single/kernel"}, {1, 1, size(inputs), size(3 * inner)}),
                            weights.find({name, "qkv_transform_single/bias"}, {size(3 * inner)}), inputs, 3 * inner);
  layer.output = dense(weights.find({name, "output_transform_single/kernel"}, {1, 1, size(inner), size(width)}),
                       weights.find({name, "output_transform_single/bias"}, {size(width)}), inner, width);
  layer.first = dense(weights.find({name, "FFN/conv1/Tensordot"}, {size(width), size(hidden)}),
                      weights.find({name, "FFN/conv1/bias"}, {size(hidden)}), width, hidden);
  layer.second = dense(weights.find({name, "FFN/conv2/Tensordot"}, {size(hidden), size(width)}),
                       weights.find({name, "FFN/conv2/bias"}, {size(width)}), hidden, width);
  if (inputs != width)
    layer.residual = dense(weights.find({name, "TransformerLayer/dense/kernel"}, {size(inputs), size(width)}),
                           weights.find({name, "TransformerLayer/dense/bias"}, {size(width)}), inputs, width);
  return layer;
}

/// x[rows × inputs] becomes the layer's result, [rows × width].
void apply(const EncoderLayer& layer, Index rows, Buffer& x, float* scratch) {
  const Index inner = layer.heads * layer.head_dim;
  const Index width = layer.output.outputs;
  Buffer normal(size(rows * std::max(layer.projections.inputs, width)));
  Buffer wide(size(rows * std::max(3 * inner, layer.first.outputs)));
  Buffer attended(size(rows * inner));
  Buffer part(size(rows * width));
  const auto add = [&](Buffer& to) {
#pragma omp simd
    for (std::size_t c = 0; c < part.size(); ++c) to[c] += part[c];
  };

  normalise(layer.before_attention, rows, x.data(), normal.data());
  apply(layer.projections, rows, normal.data(), wide.data(), scratch);
  attend(layer, rows, wide.data(), attended.data());
  apply(layer.output, rows, attended.data(), part.data(), scratch);
  if (layer.residual.outputs > 0) {
    Buffer wider(size(rows * width));
    apply(layer.residual, rows, x.data(), wider.data(), scratch);
    x = std::move(wider);
  }
  add(x);

  normalise(layer.before_feed_forward, rows, x.data(), normal.data());
  apply(layer.first, rows, normal.data(), wide.data(), scratch);
#pragma omp simd
  for (Index c = 0; c < rows * layer.first.outputs; ++c) wide[size(c)] = std::max(wide[size(c)], 0.F);
  apply(layer.second, rows, wide.data(), part.data(), scratch);
  add(x);
}

}  // namespace

SentenceEncoder::SentenceEncoder(const std::filesystem::path& folder) : tokeniser_(datasets::load_pieces(folder / "vocab.json")) {
  const TfjsWeights weights(folder);
  embedding_width_ = 256;
  const Index hidden = 1536;
  const auto pieces = static_cast<Index>(tokeniser_.size()) + 2;  // the last two are the model's own
  const auto embeddings = weights.find({"Embeddings_en"}, {size(pieces), size(embedding_width_)});
  embeddings_ = Buffer(embeddings.begin(), embeddings.end());
  for (float& x : embeddings_) x *= 2;
  // Position p: sin and cos of p · f_c (Vaswani et al. 2017, section 3.5), all sines first.
  const auto frequencies = weights.find({"AddTimingSignal/TimingSignal"}, {1, size(embedding_width_ / 2)});
  positions_ = Buffer(size(most_tokens * embedding_width_));
  for (Index p = 0; p < most_tokens; ++p)
    for (Index c = 0; c < embedding_width_ / 2; ++c) {
      const double angle = static_cast<double>(p) * static_cast<double>(frequencies[size(c)]);
      positions_[size(p * embedding_width_ + c)] = static_cast<float>(std::sin(angle));
      positions_[size(p * embedding_width_ + embedding_width_ / 2 + c)] = static_cast<float>(std::cos(angle));
    }
  layers_.push_back(load_layer(weights, "Layer_0", 4, embedding_width_, 256, width, hidden));
  layers_.push_back(load_layer(weights, "Layer_1", 4, width, width, width, hidden));
  last_ = dense(weights.find({"tanh_layer_0/weights"}, {size(width), size(width)}), weights.find({"tanh_layer_0/bias"}, {size(width)}), width, width);
}

std::vector<float> SentenceEncoder::embed(std::string_view sentence) const { return embed_pieces(tokeniser_.encode(sentence)); }

std::vector<float> SentenceEncoder::embed_pieces(std::span<const std::size_t> pieces) const {
  const Index rows = std::min(static_cast<Index>(pieces.size()), most_tokens);
  Buffer scratch(size(simd::product_scratch(layers_[0].first.outputs)));
  Buffer x(size(rows * embedding_width_));
  for (Index i = 0; i < rows; ++i) {
    if (pieces[size(i)] >= tokeniser_.size()) throw std::out_of_range("no piece has this number");
    const float* embedding = embeddings_.data() + static_cast<Index>(pieces[size(i)]) * embedding_width_;
    const float* position = positions_.data() + i * embedding_width_;
    for (Index c = 0; c < embedding_width_; ++c) x[size(i * embedding_width_ + c)] = embedding[c] + position[c];
  }
  Buffer mean(size(width), 0.F);
  if (rows > 0) {
    for (const EncoderLayer& layer : layers_) apply(layer, rows, x, scratch.data());
    for (Index i = 0; i < rows; ++i)
      for (Index c = 0; c < width; ++c) mean[size(c)] += x[size(i * width + c)] / static_cast<float>(rows);
  }
  std::vector<float> embedding(size(width));
  apply(last_, 1, mean.data(), embedding.data(), scratch.data());
  double squares = 0;
  for (float& e : embedding) {
    e = std::tanh(e);
    squares += static_cast<double>(e) * static_cast<double>(e);
  }
  const auto length = static_cast<float>(std::sqrt(std::max(squares, 1e-12)));
  for (float& e : embedding) e /= length;
  return embedding;
}

std::vector<std::vector<float>> SentenceEncoder::embed_all(std::span<const std::string> sentences) const {
  std::vector<std::vector<float>> embeddings(sentences.size());
  std::exception_ptr fault;  // of one sentence: it may not leave the threads
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < sentences.size(); ++i) try {
      embeddings[i] = embed(sentences[i]);
    } catch (...) {
#pragma omp critical
      fault = std::current_exception();
    }
  if (fault) std::rethrow_exception(fault);
  return embeddings;
}

}  // namespace attention::self_attention
