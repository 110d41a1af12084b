#include "look_at_picture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "ladder/results.hpp"
#include "loaders/picture_file.hpp"
#include "network_maps.hpp"
#include "picture_preparation.hpp"
#include "picture_training.hpp"
#include "program/error.hpp"
#include "program/heat_map.hpp"
#include "program/table.hpp"
#include "program/text.hpp"
#include "record/attention_record.hpp"

namespace attention::convolutional {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t own_side = 28;  ///< of the pictures that the network was trained on

/// The three likeliest classes.
std::string likeliest(const std::vector<float>& probabilities) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return probabilities[a] > probabilities[b]; });
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, order.size()); ++i)
    words.push_back(fmt::format("{} {:.2f}", datasets::fashion_class_names().at(order[i]), probabilities[order[i]]));
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

void look_at_pictures(std::span<const std::string> files, const fs::path& folder, const training::WeightFolders& trained, std::ostream& out) {
  if (files.size() > most_files) throw program::UserError(fmt::format("{} pictures; at most {} are taken", files.size(), most_files));
  std::vector<tensor::Tensor<2>> pictures;  // all are read before anything is written
  for (const std::string& file : files) pictures.push_back(prepared(datasets::read_picture_file(file), own_side));
  std::vector<std::pair<const NetworkPlan*, ResidualNetwork<float>>> networks;
  for (const NetworkPlan& plan : network_plans())
    if (auto network = load_network(plan, real_training_pictures, true, trained)) networks.emplace_back(&plan, std::move(*network));
  if (networks.empty()) throw program::UserError("no network is trained; ./course train 06 trains them");
  const ladder::Results results(folder, "06_convolutional_attention/image", false, true);
  results.remove_former({"picture"});
  Json list = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::vector<float> picture(pictures[i].begin(), pictures[i].end());
    out << fmt::format("{}\n{}", program::one_line(files[i], 200), program::heat_map_for_terminal(picture, own_side, own_side, {.range = std::pair(0.F, 1.F)}));
    program::Table table({"network", "likeliest classes"});
    std::vector<PlaceMap> maps;
    Json readings = Json::array();
    for (auto& [plan, network] : networks) {
      const PictureReading reading = read_picture(network, picture, own_side);
      const std::string name = plan->name.substr(plan->name.find('_') + 1);
      table.add({name, likeliest(reading.probabilities)});
      readings.push_back({{"network", name}, {"class", datasets::fashion_class_names().at(reading.best())}, {"probabilities", reading.probabilities}});
      maps.insert(maps.end(), reading.maps.begin(), reading.maps.end());
    }
    out << table.text(2);
    record::AttentionRecord record;
    record.title = fmt::format("Where trained networks look: {}", program::one_line(fs::path(files[i]).filename().string(), 70));
    record.machine = results.machine();
    record.weights = tensor::empty<4>({1, 1, maps.size(), own_side * own_side});
    std::vector<std::string> names;
    for (std::size_t m = 0; m < maps.size(); ++m) {
      names.push_back(maps[m].name);
      std::ranges::copy(maps[m].share, record.weights.data() + m * own_side * own_side);
      out << fmt::format("  {}\n{}", maps[m].name, program::heat_map_for_terminal(maps[m].share, own_side, own_side));
    }
    out << '\n';
    record.queries = record::tokens(names);
    record.keys = record::image({own_side, own_side}, tensor::to_npy(pictures[i]));
    const std::string name = fmt::format("picture_{}", i + 1);
    record::write(record, results.folder(), name);
    list.push_back({{"file", program::one_line(files[i], 200)}, {"record", name}, {"readings", readings}});
  }
  results.write("pictures", {{"classes", datasets::fashion_class_names()}, {"pictures", list}});
  results.write_summary({});
  out << fmt::format("Results are in {}\n", results.folder().string());
}

}  // namespace attention::convolutional
