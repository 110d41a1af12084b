#include "sentence_encoder.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "loaders/tfjs_weights.hpp"
#include "program/in_parallel.hpp"
#include "simd/matrix_product.hpp"

namespace attention::multi_head {

namespace {

using datasets::TfjsWeights;
using tensor::Buffer;

constexpr Index hidden = 1536;

/// Takes the memory of a model's matrices and packs them one behind the other.
class Packer {
 public:
  explicit Packer(Buffer& memory) : next_(memory.data()), end_(next_ + memory.size()) {}
  Dense dense(std::span<const float> weights, std::span<const float> bias, Index inputs, Index outputs) {
    float* to = next_;
    next_ += simd::packed_size(inputs, outputs);
    if (next_ > end_) throw std::logic_error("the encoder's matrices take more memory than was counted");
    simd::pack_panels(weights.data(), outputs, inputs, outputs, to);
    return {inputs, outputs, to, Buffer(bias.begin(), bias.end())};
  }

 private:
  float* next_;
  float* end_;
};

/// Floats of the packed matrices of a layer.
Index layer_size(Index inputs, Index inner, Index width) {
  return simd::packed_size(inputs, 3 * inner) + simd::packed_size(inner, width) + simd::packed_size(width, hidden) +
         simd::packed_size(hidden, width) + (inputs == width ? 0 : simd::packed_size(inputs, width));
}

EncoderLayer load_layer(const TfjsWeights& weights, std::string_view name, Index inputs, Index inner, Index width, Packer& packer) {
  const auto norm = [&](std::string_view part, Index n) {
    const auto scale = weights.find({name, part, "layer_norm_scale"}, {size(n)});
    const auto shift = weights.find({name, part, "layer_norm_bias"}, {size(n)});
    return LayerNorm{Buffer(scale.begin(), scale.end()), Buffer(shift.begin(), shift.end())};
  };
  EncoderLayer layer;
  layer.heads = SentenceEncoder::heads_of_a_layer;
  layer.head_dim = inner / layer.heads;
  layer.before_attention = norm("TransformerLayer/layer_prepostprocess", inputs);
  layer.before_feed_forward = norm("FFN/layer_prepostprocess", width);
  layer.projections = packer.dense(weights.find({name, "qkv_transform_single/kernel"}, {1, 1, size(inputs), size(3 * inner)}),
                            weights.find({name, "qkv_transform_single/bias"}, {size(3 * inner)}), inputs, 3 * inner);
  layer.output = packer.dense(weights.find({name, "output_transform_single/kernel"}, {1, 1, size(inner), size(width)}),
                       weights.find({name, "output_transform_single/bias"}, {size(width)}), inner, width);
  layer.first = packer.dense(weights.find({name, "FFN/conv1/Tensordot"}, {size(width), size(hidden)}),
                      weights.find({name, "FFN/conv1/bias"}, {size(hidden)}), width, hidden);
  layer.second = packer.dense(weights.find({name, "FFN/conv2/Tensordot"}, {size(hidden), size(width)}),
                       weights.find({name, "FFN/conv2/bias"}, {size(width)}), hidden, width);
  if (inputs != width)
    layer.residual = packer.dense(weights.find({name, "TransformerLayer/dense/kernel"}, {size(inputs), size(width)}),
                           weights.find({name, "TransformerLayer/dense/bias"}, {size(width)}), inputs, width);
  return layer;
}

}  // namespace

SentenceEncoder::SentenceEncoder(const std::filesystem::path& folder) : tokeniser_(datasets::load_pieces(folder / "vocab.json")) {
  const TfjsWeights weights(folder);
  embedding_width_ = 256;
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
  matrices_ = Buffer(size(layer_size(embedding_width_, embedding_width_, width) + layer_size(width, width, width) + simd::packed_size(width, width)));
  Packer packer(matrices_);
  layers_.push_back(load_layer(weights, "Layer_0", embedding_width_, embedding_width_, width, packer));
  layers_.push_back(load_layer(weights, "Layer_1", width, width, width, packer));
  last_ = packer.dense(weights.find({"tanh_layer_0/weights"}, {size(width), size(width)}), weights.find({"tanh_layer_0/bias"}, {size(width)}), width, width);
}

Index SentenceEncoder::heads() const { return static_cast<Index>(layers_.size()) * heads_of_a_layer; }

double SentenceEncoder::flops(Index tokens) const {
  const auto n = static_cast<double>(tokens);
  const auto of = [](const Dense& d) { return 2 * static_cast<double>(d.inputs) * static_cast<double>(d.outputs); };
  double all = of(last_);
  for (const EncoderLayer& l : layers_)
    all += n * (of(l.projections) + of(l.output) + of(l.first) + of(l.second) + of(l.residual)) +
           4 * n * n * static_cast<double>(l.heads * l.head_dim);
  return all;
}

std::span<const float> SentenceEncoder::piece_vector(std::size_t piece) const {
  if (piece >= tokeniser_.size()) throw std::out_of_range("no piece has this number");
  return std::span(embeddings_).subspan(piece * size(embedding_width_), size(embedding_width_));
}

std::vector<float> SentenceEncoder::embed(std::string_view sentence) const { return embed_pieces(tokeniser_.encode(sentence)); }

std::vector<float> SentenceEncoder::embed_pieces(std::span<const std::size_t> pieces, const HeadProbe& probe) const {
  const Index rows = std::min(static_cast<Index>(pieces.size()), most_tokens);
  tensor::UnsetBuffer x(size(rows * embedding_width_));
  for (Index i = 0; i < rows; ++i) {
    if (pieces[size(i)] >= tokeniser_.size()) throw std::out_of_range("no piece has this number");
    const float* embedding = embeddings_.data() + static_cast<Index>(pieces[size(i)]) * embedding_width_;
    const float* position = positions_.data() + i * embedding_width_;
    for (Index c = 0; c < embedding_width_; ++c) x[size(i * embedding_width_ + c)] = embedding[c] + position[c];
  }
  Buffer mean(size(width), 0.F);
  if (rows > 0) {
    for (std::size_t l = 0; l < layers_.size(); ++l) apply(layers_[l], rows, x, static_cast<Index>(l) * heads_of_a_layer, probe);
    for (Index i = 0; i < rows; ++i)
      for (Index c = 0; c < width; ++c) mean[size(c)] += x[size(i * width + c)] / static_cast<float>(rows);
  }
  std::vector<float> embedding(size(width));
  apply(last_, 1, mean.data(), embedding.data());
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
  program::in_parallel(sentences.size(), [&](std::size_t i) { embeddings[i] = embed(sentences[i]); });
  return embeddings;
}

double similarity(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0,
                            std::plus<>(), [](float x, float y) { return static_cast<double>(x) * static_cast<double>(y); });
}

}  // namespace attention::multi_head
