#include "read_by_encoder.hpp"

#include <algorithm>
#include <utility>

#include "encoder_record.hpp"
#include "over_layers.hpp"

namespace attention::visualising {

namespace {

/// The mean of each column.
std::vector<double> columns(const Matrix& matrix) {
  const std::size_t n = matrix.shape()[0];
  std::vector<double> means(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) means[j] += matrix(i, j) / static_cast<double>(n);
  return means;
}

}  // namespace

EncoderReading read_with(const multi_head::SentenceEncoder& encoder, std::vector<std::size_t> pieces,
                         std::string title) {
  pieces.resize(std::min(pieces.size(), static_cast<std::size_t>(multi_head::SentenceEncoder::most_tokens)));
  EncoderReading reading;
  reading.record = multi_head::attention_record(encoder, pieces, std::move(title));
  const auto& weights = reading.record.weights;
  const std::size_t n = pieces.size(), rows = weights.size() / n;
  reading.received.assign(n, 0);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t j = 0; j < n; ++j)
      reading.received[j] += static_cast<double>(weights.data()[row * n + j]) / static_cast<double>(rows);
  const std::vector<Matrix> layers = with_residual(weights);
  reading.rolled = columns(rollout(layers).back());
  reading.flowing = columns(flow(layers));
  const std::vector<float> whole = encoder.embed_pieces(pieces);
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<std::size_t> without = pieces;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(j));
    reading.leave_one_out.push_back(1 - multi_head::similarity(whole, encoder.embed_pieces(without)));
  }
  return reading;
}

}  // namespace attention::visualising
