#include "encoder_record.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace attention::multi_head {

record::AttentionRecord attention_record(const SentenceEncoder& encoder, std::span<const std::size_t> pieces,
                                         std::string title) {
  if (pieces.empty()) throw std::invalid_argument("a sentence without pieces has no weights");
  std::vector<tensor::Tensor<2>> maps;
  encoder.embed_pieces(pieces, {.maps = &maps});
  constexpr auto heads = static_cast<std::size_t>(SentenceEncoder::heads_of_a_layer);
  const std::size_t n = maps.front().shape()[0];
  record::AttentionRecord record;
  record.title = std::move(title);
  std::vector<std::string> labels;
  for (const std::size_t piece : pieces.first(n)) labels.push_back(encoder.tokeniser().piece(piece));
  record.queries = record.keys = record::tokens(std::move(labels));
  record.weights = tensor::empty<4>({maps.size() / heads, heads, n, n});
  for (std::size_t h = 0; h < maps.size(); ++h)
    std::copy_n(maps[h].data(), n * n, record.weights.data() + h * n * n);
  return record;
}

}  // namespace attention::multi_head
