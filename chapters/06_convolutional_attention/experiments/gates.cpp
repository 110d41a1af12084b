#include "experiments/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "attention_pooling.hpp"
#include "cbam.hpp"
#include "efficient_channel.hpp"
#include "experiments/feature_maps_of.hpp"
#include "experiments/places_for_half.hpp"
#include "program/heat_map.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/efficient_channel_rungs.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

namespace {

/// The first so many pictures of the test set; a thousand tell the classes apart.
std::vector<Index> first_pictures_of(const datasets::FashionMnist& data, bool quick) {
  std::vector<Index> which(std::min<std::size_t>(quick ? 200 : 1000, data.test.labels.size()));
  std::iota(which.begin(), which.end(), Index{0});
  return which;
}

/// 1/(the mean of each channel over all pictures): channels in units of what is usual for them.
std::vector<float> usual_scale(const FeatureMaps& maps) {
  std::vector<float> scale(size(maps.channels()));
  for (Index c = 0; c < maps.channels(); ++c) {
    double sum = 0;
    for (Index b = 0; b < maps.batch(); ++b)
      for (Index i = 0; i < maps.places(); ++i) sum += static_cast<double>(maps.map_of(b, c)[i]);
    scale[size(c)] = static_cast<float>(static_cast<double>(maps.batch() * maps.places()) / std::max(sum, 1e-9));
  }
  return scale;
}

/// [channels, channels]: how far a channel is above the mean of all, times `sharpness`.
Tensor<2> against_the_others(Index channels, float sharpness) {
  Tensor<2> weight = tensor::empty<2>({size(channels), size(channels)});
  weight.fill(-sharpness / static_cast<float>(channels));
  for (std::size_t c = 0; c < size(channels); ++c) weight(c, c) += sharpness;
  return weight;
}

/// [channels, channels]: each channel in units of what is usual for it.
Tensor<2> in_usual_units(const std::vector<float>& scale, float factor) {
  Tensor<2> weight = tensor::empty<2>({scale.size(), scale.size()});
  weight.fill(0);
  for (std::size_t c = 0; c < scale.size(); ++c) weight(c, c) = factor * scale[c];
  return weight;
}

/// Means of the gates over the pictures of each class: [classes][channels].
std::vector<std::vector<double>> by_class(const Tensor<2>& gate, const datasets::FashionMnist& data, std::span<const Index> which) {
  const std::size_t channels = gate.shape()[1];
  std::vector<std::vector<double>> mean(data.class_names.size(), std::vector<double>(channels, 0));
  std::vector<double> count(mean.size(), 0);
  for (std::size_t b = 0; b < which.size(); ++b) {
    const std::size_t label = data.test.labels(size(which[b]));
    ++count[label];
    for (std::size_t c = 0; c < channels; ++c) mean[label][c] += static_cast<double>(gate(b, c));
  }
  for (std::size_t label = 0; label < mean.size(); ++label)
    for (double& m : mean[label]) m /= std::max(count[label], 1.0);
  return mean;
}

void show_gates(const ladder::ChapterRun& run, const datasets::FashionMnist& data, const std::vector<std::vector<double>>& mean,
                const std::string& title, const std::string& file) {
  std::vector<program::Table::Column> heads{{"class"}};
  for (const std::string& name : filter_names()) heads.emplace_back(name);
  program::Table table(heads);
  Json rows = Json::array();
  for (std::size_t label = 0; label < mean.size(); ++label) {
    std::vector<std::string> cells{data.class_names[label]};
    Json row{{"class", data.class_names[label]}};
    for (std::size_t c = 0; c < mean[label].size(); ++c) {
      cells.push_back(fmt::format("{:.2f}", mean[label][c]));
      row[filter_names()[c]] = std::round(1000 * mean[label][c]) / 1000;
    }
    table.add(cells);
    rows.push_back(row);
  }
  run.results.write(file, {{"rows", rows}});
  std::cout << fmt::format("{}{}\n{}\n", title, data.real ? "" : " (generated stand-in data)", table.text());
}

CbamProblem cbam_over(const Tensor<4>& maps) {
  CbamProblem p;
  p.input = maps;
  const Index channels = p.channels();
  // Half of each: the mean's and the maximum's branch are added.
  p.reduce_weight = in_usual_units(usual_scale(p), 0.5F);
  p.expand_weight = against_the_others(channels, 1);
  p.reduction = 1;
  // A place against its surroundings: a bell, less its mean. Both pools alike.
  constexpr int side = 7;
  p.spatial_weight = tensor::empty<3>({2, side, side});
  float sum = 0;
  for (int i = 0; i < side * side; ++i) {
    const int down = i / side - side / 2;
    const int across = i % side - side / 2;
    p.spatial_weight.data()[i] = 4 * std::exp(-static_cast<float>(down * down + across * across) / 4);
    sum += p.spatial_weight.data()[i];
  }
  for (int i = 0; i < side * side; ++i) {
    p.spatial_weight.data()[i] -= sum / (side * side);
    p.spatial_weight.data()[side * side + i] = p.spatial_weight.data()[i];
  }
  return p;
}

/// w: `sharpness` for the channels first … last in their usual units, 0 for the others.
AttentionPoolingProblem pooling_over(const Tensor<4>& maps, std::size_t first, std::size_t last, float sharpness) {
  AttentionPoolingProblem p;
  p.input = maps;
  const std::vector<float> scale = usual_scale(p);
  p.weight = tensor::empty<1>({scale.size()});
  p.weight.fill(0);
  for (std::size_t c = first; c < last; ++c) p.weight(c) = sharpness * scale[c] / static_cast<float>(last - first);
  return p;
}

constexpr std::size_t edge_filters = 8;
/// Grey below which a pixel counts as background.
constexpr int background = 13;

}  // namespace

void channel_gates(const ladder::ChapterRun& run, const datasets::FashionMnist& data) {
  const std::vector<Index> which = first_pictures_of(data, run.quick);
  SqueezeExcitationProblem se;
  se.input = feature_maps_of(data.test, which);
  const Index channels = se.channels();
  const std::vector<float> scale = usual_scale(se);
  se.reduction = 1;
  se.reduce_weight = in_usual_units(scale, 1);
  se.expand_weight = against_the_others(channels, 4);
  se.reduce_bias = tensor::empty<1>({size(channels)});
  se.reduce_bias.fill(0);
  se.expand_bias = se.reduce_bias;
  GatedMaps out;
  squeeze_excitation_streamed(se, out);
  const auto squeezed = by_class(out.gate, data, which);
  show_gates(run, data, squeezed, "Squeeze-and-excitation: the gates of each class, on average", "squeeze_gates");

  // A channel against its two neighbours: an edge's direction against the directions beside it.
  EfficientChannelProblem eca{{se.input}, tensor::empty<1>({3})};
  for (Index m = 0; m < eca.batch() * channels; ++m)
    for (Index i = 0; i < eca.places(); ++i) eca.input.data()[m * eca.places() + i] *= scale[size(m % channels)];
  eca.weight(0) = eca.weight(2) = -2;
  eca.weight(1) = 4;
  efficient_channel_streamed(eca, out);
  const auto efficient = by_class(out.gate, data, which);
  show_gates(run, data, efficient, "Efficient channel attention: the gates of each class, on average", "efficient_gates");

  record::AttentionRecord record;
  record.title = "Gates of squeeze-and-excitation by class, each divided by the number of channels";
  record.real = data.real;
  record.machine = run.results.machine();
  record.weights = tensor::empty<4>({1, 1, squeezed.size(), size(channels)});
  float* to = record.weights.data();
  for (const auto& row : squeezed)
    for (const double gate : row) *to++ = static_cast<float>(gate / static_cast<double>(channels));
  record.queries = record::tokens(data.class_names);
  record.keys = record::tokens(filter_names());
  record::write(record, run.results.folder(), "channel_gates");
}

void places(const ladder::ChapterRun& run, const datasets::FashionMnist& data) {
  const std::vector<Index> which = first_pictures_of(data, run.quick);
  const Tensor<4> maps = feature_maps_of(data.test, which);
  const CbamProblem block = cbam_over(maps);
  CbamOutput gated;
  cbam_fused(block, gated);
  AttentionPoolingOutput of_edges;
  AttentionPoolingOutput of_blobs;
  attention_pooling_online(pooling_over(maps, 0, edge_filters, 1), of_edges);
  attention_pooling_online(pooling_over(maps, edge_filters, filter_names().size(), 1), of_blobs);

  // Each class: the spatial gate on the clothes and beside them; how many places the pooling looks at.
  const Index count = block.places();
  struct Sums {
    double on = 0, on_count = 0, beside = 0, beside_count = 0, half = 0, weight_beside = 0, pictures = 0;
  };
  std::vector<Sums> sums(data.class_names.size());
  for (std::size_t b = 0; b < which.size(); ++b) {
    Sums& s = sums[data.test.labels(size(which[b]))];
    const std::uint8_t* picture = data.test.images.data() + which[b] * count;
    const auto image = static_cast<Index>(b);
    for (Index i = 0; i < count; ++i) {
      const auto gate = static_cast<double>(gated.spatial_gate_of(image)[i]);
      (picture[i] < background ? s.beside : s.on) += gate;
      (picture[i] < background ? s.beside_count : s.on_count) += 1;
      if (picture[i] < background) s.weight_beside += static_cast<double>(of_edges.weights_of(image)[i]);
    }
    s.half += static_cast<double>(places_for_half(of_edges.weights_of(image), count));
    s.pictures += 1;
  }
  program::Table table({{"class"}, {"spatial gate on the clothes"}, {"beside them"}, {"places with half of the pooling's weight"},
                        {"of its weight beside the clothes"}});
  Json rows = Json::array();
  for (std::size_t label = 0; label < sums.size(); ++label) {
    const Sums& s = sums[label];
    if (s.pictures == 0) continue;
    const double on = s.on / std::max(s.on_count, 1.0);
    const double beside = s.beside / std::max(s.beside_count, 1.0);
    table.add({data.class_names[label], fmt::format("{:.2f}", on), fmt::format("{:.2f}", beside),
               fmt::format("{:.0f} of {}", s.half / s.pictures, count), fmt::format("{:.0f} %", 100 * s.weight_beside / s.pictures)});
    rows.push_back({{"class", data.class_names[label]}, {"spatial gate on the clothes", std::round(1000 * on) / 1000},
                    {"beside them", std::round(1000 * beside) / 1000},
                    {"places with half of the pooling's weight", std::round(s.half / s.pictures)},
                    {"share of its weight beside the clothes", std::round(1000 * s.weight_beside / s.pictures) / 1000}});
  }
  run.results.write("places_by_class", {{"rows", rows}});
  std::cout << fmt::format("Where the spatial gate opens and where the pooling looks{}\n{}\n", data.real ? "" : " (generated stand-in data)",
                           table.text());

  // Three pictures: a pullover, a sandal, a bag, or what is there.
  const auto height = size(block.height());
  const auto width = size(block.width());
  int number = 1;
  for (const int label : {2, 5, 8}) {
    const auto found = std::ranges::find_if(which, [&](Index i) { return data.test.labels(size(i)) == label; });
    const Index image = found == which.end() ? 0 : found - which.begin();
    record::AttentionRecord record;
    record.title = fmt::format("Where the gate opens and where the pooling looks: {}", data.class_names[data.test.labels(size(which[size(image)]))]);
    record.real = data.real;
    record.machine = run.results.machine();
    record.weights = tensor::empty<4>({1, 1, 3, size(count)});
    float* to = record.weights.data();
    const float* gate = gated.spatial_gate_of(image);
    const float total = std::accumulate(gate, gate + count, 0.F);
    to = std::transform(gate, gate + count, to, [total](float g) { return g / total; });
    to = std::copy_n(of_edges.weights_of(image), count, to);
    std::copy_n(of_blobs.weights_of(image), count, to);
    auto pixels = tensor::empty<2, std::uint8_t>({height, width});
    std::copy_n(data.test.images.data() + which[size(image)] * count, count, pixels.data());
    record.queries = record::tokens({"CBAM's spatial gate, as shares", "pooling by edges", "pooling by blobs"});
    record.keys = record::image({height, width}, tensor::to_npy(pixels));
    record::write(record, run.results.folder(), fmt::format("places_{}", number++));
    if (label == 2)
      std::cout << fmt::format("CBAM's spatial gate over a picture:\n{}\n",
                               program::heat_map_for_terminal({gate, size(count)}, height, width));
  }
}

}  // namespace attention::convolutional
