#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "experiments/networks.hpp"
#include "network_maps.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"

namespace attention::convolutional {

namespace {

/// The first test picture of a class; 0 where there is none.
std::size_t first_of(const datasets::FashionMnist& data, int label) {
  const auto* first = data.test.labels.data();
  const auto* found = std::find(first, first + data.test.labels.size(), label);
  return found == first + data.test.labels.size() ? 0 : static_cast<std::size_t>(found - first);
}

std::vector<float> picture_of(const datasets::ImageSet& set, std::size_t number) {
  const auto batch = batch_of<float>(set, std::span(&number, 1));
  return {batch.begin(), batch.end()};
}

record::Side side_of(const datasets::ImageSet& set, std::size_t number) {
  const std::size_t height = set.images.shape(1), width = set.images.shape(2);
  auto pixels = tensor::empty<2, std::uint8_t>({height, width});
  std::copy_n(set.images.data() + number * height * width, height * width, pixels.data());
  return record::image({height, width}, tensor::to_npy(pixels));
}

void places_of_pictures(const ladder::ChapterRun& run, const datasets::FashionMnist& data, std::span<const TrainedNetwork> networks) {
  int number = 1;
  for (const int label : {2, 5, 8}) {  // a pullover, a sandal, a bag
    const std::size_t picture = first_of(data, label);
    record::AttentionRecord record;
    record.title = fmt::format("Where trained networks look: {}", data.class_names[data.test.labels(picture)]);
    record.real = data.real;
    record.machine = run.results.machine();
    std::vector<PlaceMap> maps;
    for (const TrainedNetwork& trained : networks) {
      const ModuleKind kind = trained.plan->sizes.module;
      const bool has_places = kind == ModuleKind::none || kind == ModuleKind::cbam || kind == ModuleKind::bam || kind == ModuleKind::coordinate;
      if (!has_places) continue;
      ResidualNetwork<float> network = trained.network;
      const PictureReading reading = read_picture(network, picture_of(data.test, picture), static_cast<Index>(data.test.images.shape(1)));
      maps.insert(maps.end(), reading.maps.begin(), reading.maps.end());
    }
    const std::size_t places = data.test.images.shape(1) * data.test.images.shape(2);
    record.weights = tensor::empty<4>({1, 1, maps.size(), places});
    std::vector<std::string> names;
    for (std::size_t i = 0; i < maps.size(); ++i) {
      names.push_back(maps[i].name);
      std::ranges::copy(maps[i].share, record.weights.data() + i * places);
    }
    record.queries = record::tokens(names);
    record.keys = side_of(data.test, picture);
    if (!maps.empty()) record::write(record, run.results.folder(), fmt::format("looked_at_{}", number));
    ++number;
  }
}

void gates_by_class(const ladder::ChapterRun& run, const datasets::FashionMnist& data, const TrainedNetwork& trained) {
  const std::size_t pictures = std::min<std::size_t>(data.test.images.shape(0), run.quick ? 200 : 1000), together = 50;
  const auto channels = size(trained.plan->sizes.widths.back());
  tensor::Tensor<2> mean = tensor::empty<2>({data.class_names.size(), channels});
  mean.fill(0);
  std::vector<double> count(data.class_names.size(), 0);
  for (std::size_t first = 0; first < pictures; first += together) {
    std::vector<std::size_t> numbers(std::min(together, pictures - first));
    std::iota(numbers.begin(), numbers.end(), first);
    Tape<float> tape(autograd::Mode::evaluation);
    const auto answer = trained.network(tape.constant(batch_of<float>(data.test, numbers)));
    const float* gates = answer.attended.back().channel_gates.data();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::size_t label = data.test.labels(numbers[i]);
      ++count[label];
      for (std::size_t c = 0; c < channels; ++c) mean(label, c) += gates[i * channels + c];
    }
  }
  for (std::size_t label = 0; label < count.size(); ++label)
    for (std::size_t c = 0; c < channels; ++c) mean(label, c) /= static_cast<float>(std::max(count[label], 1.0));

  // How far a channel's gate differs between the classes, against how far it is from open.
  std::vector<double> spread(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    float low = 1, high = 0;
    for (std::size_t label = 0; label < count.size(); ++label) {
      low = std::min(low, mean(label, c));
      high = std::max(high, mean(label, c));
    }
    spread[c] = static_cast<double>(high - low);
  }
  run.figure("trained_gate_range", std::accumulate(spread.begin(), spread.end(), 0.0) / static_cast<double>(channels), "1",
             "by how much a trained squeeze-and-excitation gate of the last block differs between the class that opens it most and the one that opens it least, mean over the channels");

  record::AttentionRecord record;
  record.title = "Trained gates of squeeze-and-excitation, last block, by class, each divided by the number of channels";
  record.real = data.real;
  record.machine = run.results.machine();
  record.weights = tensor::empty<4>({1, 1, count.size(), channels});
  std::transform(mean.begin(), mean.end(), record.weights.data(), [channels](float g) { return g / static_cast<float>(channels); });
  std::vector<std::string> names;
  for (std::size_t c = 0; c < channels; ++c) names.push_back(std::to_string(c + 1));
  record.queries = record::tokens(data.class_names);
  record.keys = record::tokens(names);
  record::write(record, run.results.folder(), "trained_channel_gates");
}

/// The first block's map of a pullover: what four of its places look at.
void non_local_places(const ladder::ChapterRun& run, const datasets::FashionMnist& data, const TrainedNetwork& trained) {
  const std::size_t picture = first_of(data, 2);
  Tape<float> tape(autograd::Mode::evaluation);
  const auto answer = trained.network(tape.constant(batch_of<float>(data.test, std::span(&picture, 1))));
  const Variable<float>& weights = answer.attended.front().weights;
  const auto places = size(weights.extent(1)), side = size(answer.attended.front().output.extent(1));
  record::AttentionRecord record;
  record.title = "What places of a picture look at in a trained non-local block, first block";
  record.real = data.real;
  record.machine = run.results.machine();
  const std::vector<std::pair<std::string, std::array<double, 2>>> asked{
      {"the collar", {0.15, 0.5}}, {"the middle", {0.5, 0.5}}, {"a sleeve", {0.6, 0.15}}, {"an empty corner", {0, 0}}};
  record.weights = tensor::empty<4>({1, 1, asked.size(), places});
  std::vector<std::string> names;
  Json rows = Json::array();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto& [name, at] = asked[i];
    const auto row = static_cast<std::size_t>(at[0] * static_cast<double>(side)), column = static_cast<std::size_t>(at[1] * static_cast<double>(side));
    const float* from = weights.data() + (row * side + column) * places;
    std::copy_n(from, places, record.weights.data() + i * places);
    names.push_back(name);
    std::vector<float> sorted(from, from + places);
    std::ranges::sort(sorted, std::greater<>());
    double sum = 0;
    std::size_t half = 0;
    while (half < places && sum < 0.5) sum += static_cast<double>(sorted[half++]);
    rows.push_back({{"a place on", name}, {"row", row}, {"column", column}, {"places with half of its weight", half}, {"of", places},
                    {"weight on itself", from[row * side + column]}});
  }
  record.queries = record::tokens(names);
  record.keys = side_of(data.test, picture);
  record.keys.grid = {side, side};
  record::write(record, run.results.folder(), "trained_non_local");
  run.results.write("trained_non_local", {{"rows", rows}});
}

}  // namespace

void looked_at(const ladder::ChapterRun& run, const datasets::FashionMnist& data, std::span<const TrainedNetwork> networks) {
  places_of_pictures(run, data, networks);
  for (const TrainedNetwork& trained : networks) {
    if (trained.plan->sizes.module == ModuleKind::squeeze_excitation) gates_by_class(run, data, trained);
    if (trained.plan->sizes.module == ModuleKind::non_local) non_local_places(run, data, trained);
  }
}

}  // namespace attention::convolutional
