#include "experiments/key_frames.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <numeric>

#include "loaders/cat_plate.hpp"
#include "network_maps.hpp"
#include "numerics/statistics.hpp"
#include "picture_preparation.hpp"
#include "program/in_parallel.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"
#include "temporal_attention.hpp"

namespace attention::convolutional {

namespace {

/// A way to turn a frame [height, width] into numbers.
struct Eye {
  std::string name;
  std::function<std::vector<float>(const float*, Index height, Index width)> see;
};

/// Pixels, and the plain network's features where it is trained.
std::vector<Eye> eyes(std::span<const TrainedNetwork> networks, Index square) {
  std::vector<Eye> all{{"pixels", [square](const float* frame, Index height, Index width) { return small_pixels(frame, height, width, square); }}};
  for (const TrainedNetwork& trained : networks)
    if (trained.plan->sizes.module == ModuleKind::none && trained.plan->sizes.pooling == Pooling::mean)
      all.push_back({"trained network", [&network = trained.network](const float* frame, Index height, Index width) {
                       tensor::Tensor<2> picture = tensor::empty<2>({size(height), size(width)});
                       std::copy_n(frame, height * width, picture.data());
                       constexpr std::size_t side = 28;
                       const tensor::Tensor<2> small = height == static_cast<Index>(side) ? picture : prepared(picture, side);
                       return picture_features(network, {small.begin(), small.end()}, static_cast<Index>(side));
                     }});
  return all;
}

tensor::Tensor<2> features_of(const tensor::Tensor<3>& frames, const Eye& eye) {
  const auto height = static_cast<Index>(frames.shape(1)), width = static_cast<Index>(frames.shape(2));
  std::vector<std::vector<float>> seen(frames.shape(0));
  program::in_parallel(seen.size(), [&](std::size_t t) { seen[t] = eye.see(&frames(t, 0, 0), height, width); });
  tensor::Tensor<2> features = tensor::empty<2>({seen.size(), seen.front().size()});
  float* to = features.data();
  for (const std::vector<float>& row : seen) to = std::ranges::copy(row, to).out;
  return features;
}

/// So many test pictures of different classes, drawn by chance.
tensor::Tensor<3> scene_pictures(const datasets::ImageSet& set, Index scenes, numerics::Random& random) {
  const std::size_t height = set.images.shape(1), width = set.images.shape(2);
  tensor::Tensor<3> pictures = tensor::empty<3>({size(scenes), height, width});
  std::vector<int> classes;
  while (std::ssize(classes) < scenes) {
    const std::size_t number = random.bits() % set.images.shape(0);
    if (std::ranges::find(classes, set.labels(number)) != classes.end()) continue;
    const std::uint8_t* from = set.images.data() + number * height * width;
    std::transform(from, from + height * width, &pictures(classes.size(), 0, 0), [](std::uint8_t grey) { return static_cast<float>(grey) / 255; });
    classes.push_back(set.labels(number));
  }
  return pictures;
}

void made_clips(const ladder::ChapterRun& run, const datasets::FashionMnist& data, std::span<const TrainedNetwork> networks) {
  constexpr Index scenes = 6, frames = 60;
  const int clips = run.quick ? 10 : 200;
  const std::vector<Eye> all = eyes(networks, 2);
  std::vector<std::string> names{"uniform", "random"};
  for (const Eye& eye : all) names.push_back("attention over " + eye.name);
  std::vector<std::vector<double>> shares(names.size());
  numerics::Random random(17);
  for (int i = 0; i < clips; ++i) {
    const SyntheticClip clip = synthetic_clip(scene_pictures(data.test, scenes, random), frames, random.bits());
    shares[0].push_back(scenes_shown(clip, pick_uniformly(frames, scenes)));
    std::vector<Index> by_chance;
    for (Index k = 0; k < scenes; ++k) by_chance.push_back(static_cast<Index>(random.bits() % frames));
    shares[1].push_back(scenes_shown(clip, by_chance));
    for (std::size_t e = 0; e < all.size(); ++e)
      shares[2 + e].push_back(scenes_shown(clip, pick_by_attention(frame_attention(features_of(clip.frames, all[e])), scenes)));
  }
  Json rows = Json::array();
  program::Table table({"picked", "scenes shown", "95 % ±", "clips with all"});
  for (std::size_t k = 0; k < names.size(); ++k) {
    const double count = static_cast<double>(clips);
    const double mean = std::accumulate(shares[k].begin(), shares[k].end(), 0.0) / count;
    double squares = 0;
    for (const double s : shares[k]) squares += (s - mean) * (s - mean);
    const double interval = 1.96 * std::sqrt(squares / (count - 1) / count);
    const auto complete = static_cast<double>(std::ranges::count(shares[k], 1.0)) / count;
    rows.push_back({{"picked", names[k]}, {"share of the scenes shown", mean}, {"95 % ±", interval}, {"share of clips with all scenes", complete}});
    table.add({names[k], fmt::format("{:.1f} %", 100 * mean), fmt::format("{:.1f}", 100 * interval), fmt::format("{:.0f} %", 100 * complete)});
  }
  run.results.write("key_frames", {{"clips", clips}, {"scenes", scenes}, {"frames", frames}, {"rows", rows}});
  std::cout << fmt::format("Key frames of {} made clips, {} of {} frames{}\n{}\n", clips, scenes, frames, data.real ? "" : " (generated stand-in pictures)", table.text());
}

void cat(const ladder::ChapterRun& run, const tensor::Tensor<3>& frames, std::span<const TrainedNetwork> networks) {
  constexpr Index picks = 6;
  const auto count = static_cast<Index>(frames.shape(0));
  const std::vector<Eye> all = eyes(networks, 4);
  const tensor::Tensor<2> pixels = features_of(frames, all.front());
  Json rows = Json::array();
  program::Table table({"picked", "views", "lost, in pixels' distance", "change found at view"});
  record::AttentionRecord record;
  record.title = "Muybridge's cat: six views of twenty-four";
  record.machine = run.results.machine();
  std::vector<std::string> names;
  std::vector<std::vector<float>> weights;
  const auto add = [&](const std::string& name, const std::vector<Index>& picked, Json change) {
    std::vector<Index> views;  // counted from 1, as the plate does
    for (const Index t : picked) views.push_back(t + 1);
    const double loss = loss_of_pick(pixels, picked);
    rows.push_back({{"picked", name}, {"views", fmt::format("{}", fmt::join(views, ", "))}, {"lost, in pixels' distance", loss}, {"change found at view", change}});
    table.add({name, fmt::format("{}", fmt::join(views, ", ")), fmt::format("{:.3f}", loss), change.is_null() ? "" : fmt::format("{}", change.get<Index>())});
    names.push_back(name);
    weights.emplace_back(size(count), 0.F);
    for (const Index t : picked) weights.back()[size(t)] = 1 / static_cast<float>(picked.size());
  };
  record::AttentionRecord of_time;
  of_time.title = "Muybridge's cat: what each view looks at";
  of_time.machine = run.results.machine();
  of_time.weights = tensor::empty<4>({1, all.size(), size(count), size(count)});
  add("uniform", pick_uniformly(count, picks), nullptr);
  for (const Eye& eye : all) {
    const tensor::Tensor<2> attention = frame_attention(features_of(frames, eye));
    std::ranges::copy(attention, of_time.weights.data() + (&eye - all.data()) * count * count);
    const Index change = find_change(attention) + 1;
    add("attention over " + eye.name, pick_by_attention(attention, picks), change);
    if (eye.name == "pixels")
      run.figure("cat_change_found_at_view", static_cast<double>(change), "1",
                 fmt::format("the view, counted from 1, where temporal attention over pixels finds that the cat's gait changes; by eye {}", datasets::gallop_begins + 1));
  }
  rows.push_back({{"picked", "by eye"}, {"views", ""}, {"lost, in pixels' distance", nullptr}, {"change found at view", datasets::gallop_begins + 1}});
  std::vector<std::string> labels;
  for (Index t = 0; t < count; ++t) labels.push_back(fmt::format("{}", t + 1));
  auto shown = tensor::empty<3, std::uint8_t>({frames.shape(0), frames.shape(1), frames.shape(2)});
  std::ranges::transform(frames, shown.begin(), [](float grey) { return static_cast<std::uint8_t>(255 * grey + 0.5F); });
  record.queries = record::tokens(names);
  record.keys = record::frames(tensor::to_npy(shown), labels);
  record.weights = tensor::empty<4>({1, 1, weights.size(), size(count)});
  float* to = record.weights.data();
  for (const std::vector<float>& row : weights) to = std::ranges::copy(row, to).out;
  record::write(record, run.results.folder(), "cat");
  of_time.queries = of_time.keys = record::tokens(labels);
  record::write(of_time, run.results.folder(), "cat_attention");
  run.results.write("cat_frames", {{"picks", picks}, {"rows", rows}});
  std::cout << fmt::format("Key frames of Muybridge's cat\n{}\n", table.text());
}

}  // namespace

void key_frames(const ladder::ChapterRun& run, const datasets::FashionMnist& data, const std::filesystem::path& data_folder,
                std::span<const TrainedNetwork> networks) {
  made_clips(run, data, networks);
  if (const auto frames = datasets::load_cat_frames(data_folder))
    cat(run, *frames, networks);
  else
    std::cout << "Muybridge's cat is not there; its key frames are left out.\n\n";
}

}  // namespace attention::convolutional
