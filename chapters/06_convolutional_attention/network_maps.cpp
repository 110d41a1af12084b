#include "network_maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace attention::convolutional {

namespace {

std::vector<float> softmax_of(const float* scores, std::size_t count) {
  const float most = *std::max_element(scores, scores + count);
  std::vector<float> shares(count);
  std::transform(scores, scores + count, shares.begin(), [most](float s) { return std::exp(s - most); });
  const float sum = std::accumulate(shares.begin(), shares.end(), 0.F);
  for (float& s : shares) s /= sum;
  return shares;
}

/// relu(Σ_k w_k A_k) over the places of the last map [1, rows, rows, channels].
std::vector<float> class_map(ResidualNetwork<float>& network, const Variable<float>& last, std::size_t of_class) {
  const tensor::ArrayOf<float>* weights = nullptr;  // [channels, classes]
  for (const auto& [name, parameter] : network.parameters())
    if (name == "classes.weights") weights = &parameter->value;
  const Index places = last.extent(1) * last.extent(2), channels = last.extent(3);
  std::vector<float> map(size(places));
  for (Index p = 0; p < places; ++p) {
    float sum = 0;
    for (Index c = 0; c < channels; ++c) sum += (*weights)(c, of_class) * last.data()[p * channels + c];
    map[size(p)] = std::max(sum, 0.F);
  }
  return map;
}

ResidualNetwork<float>::Answer answer_of(const ResidualNetwork<float>& network, Tape<float>& tape, const std::vector<float>& picture, Index side) {
  tensor::ArrayOf<float> batch = tensor::empty_array<float>({1, size(side), size(side), 1});
  std::ranges::copy(picture, batch.data());
  return network(tape.constant(std::move(batch)));
}

}  // namespace

std::size_t PictureReading::best() const { return static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin()); }

std::vector<float> enlarged(const float* map, Index rows, Index side) {
  std::vector<float> to(size(side * side));
  for (Index y = 0; y < side; ++y)
    for (Index x = 0; x < side; ++x) to[size(y * side + x)] = map[y * rows / side * rows + x * rows / side];
  const double sum = std::accumulate(to.begin(), to.end(), 0.0);
  if (sum > 0)
    for (float& v : to) v = static_cast<float>(static_cast<double>(v) / sum);
  return to;
}

std::vector<float> picture_features(const ResidualNetwork<float>& network, const std::vector<float>& picture, Index side) {
  Tape<float> tape(autograd::Mode::evaluation);
  const auto last = answer_of(network, tape, picture, side).last_map;
  const Index channels = last.extent(3), places = last.extent(1) * last.extent(2);
  std::vector<float> features(size(channels), 0.F);
  for (Index p = 0; p < places; ++p)
    for (Index c = 0; c < channels; ++c) features[size(c)] += last.data()[p * channels + c] / static_cast<float>(places);
  return features;
}

PictureReading read_picture(ResidualNetwork<float>& network, const std::vector<float>& picture, Index side) {
  Tape<float> tape(autograd::Mode::evaluation);
  const auto answer = answer_of(network, tape, picture, side);
  PictureReading reading;
  reading.probabilities = softmax_of(answer.scores.data(), size(network.sizes().classes));
  const std::string name = name_of(network.sizes().module);
  for (std::size_t block = 0; block < answer.attended.size(); ++block) {
    const Attended<float>& attended = answer.attended[block];
    if (network.sizes().module == ModuleKind::cbam || network.sizes().module == ModuleKind::bam || network.sizes().module == ModuleKind::coordinate)
      reading.maps.push_back({fmt::format("{}, block {}", name, block + 1), enlarged(attended.place_gates.data(), attended.place_gates.extent(1), side)});
  }
  const Index rows = answer.last_map.extent(1);
  if (network.sizes().pooling == Pooling::attention)
    reading.maps.push_back({"attention pooling", enlarged(answer.pooling_weights.data(), rows, side)});
  if (reading.maps.empty()) {
    const std::vector<float> map = class_map(network, answer.last_map, reading.best());
    reading.maps.push_back({fmt::format("Grad-CAM, {}", name), enlarged(map.data(), rows, side)});
  }
  return reading;
}

}  // namespace attention::convolutional
