#include "experiments/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <numeric>

#include "machine/affinity.hpp"
#include "machine/clock.hpp"
#include "network_cost.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"
#include "training/records.hpp"

namespace attention::convolutional {

namespace {

constexpr Index picture_side = 28;

std::string short_name(const NetworkPlan& plan) { return plan.name.substr(plan.name.find('_') + 1); }

/// Seconds of one picture, one after the other on one thread: median of some passes.
double seconds_a_picture(const ResidualNetwork<float>& network, const datasets::ImageSet& set, bool quick) {
  const machine::ThreadScope one(1);
  const std::size_t pictures = std::min<std::size_t>(set.images.shape(0), quick ? 20 : 200);
  const auto pass = [&] {
    for (std::size_t i = 0; i < pictures; ++i) {
      Tape<float> tape(autograd::Mode::evaluation);
      network(tape.constant(batch_of<float>(set, std::span(&i, 1))));
    }
  };
  pass();  // caches and memory
  std::vector<double> seconds;
  for (int i = 0; i < (quick ? 3 : 7); ++i) {
    const double start = machine::now_seconds();
    pass();
    seconds.push_back((machine::now_seconds() - start) / static_cast<double>(pictures));
  }
  return numerics::median(seconds);
}

/// Of a network's mistakes, the share in which a piece of clothing for the upper body is taken for another one.
double mistakes_among_tops(const ResidualNetwork<float>& network, const datasets::ImageSet& set) {
  constexpr std::array tops{0, 2, 3, 4, 6};  // T-shirt, pullover, dress, coat, shirt
  const auto is_top = [&](int label) { return std::ranges::find(tops, label) != tops.end(); };
  const std::vector<int> said = classes_said(network, set);
  double mistakes = 0, among = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (said[i] == set.labels(i)) continue;
    ++mistakes;
    among += is_top(said[i]) && is_top(set.labels(i)) ? 1 : 0;
  }
  return mistakes > 0 ? among / mistakes : 0;
}

/// What the records of a plan's trainings say.
struct Seeds {
  std::vector<double> shares;
  double seconds = 0;  ///< of the longest training

  /// NaN where there is none.
  double mean() const { return std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(shares.size()); }
};

Seeds seeds_of(const NetworkPlan& plan, const training::WeightFolders& folders, Json& curves) {
  Seeds seeds;
  for (const auto& [seed, record] : training::records_of(plan.name, folders)) {
    if (!record.real()) continue;
    seeds.shares.push_back(record.figure("test_accuracy"));
    seeds.seconds = std::max(seeds.seconds, record.seconds);
    for (const Json& point : record.curve)
      curves.push_back({{"network", short_name(plan)}, {"seed", seed}, {"step", point.at("step")}, {"loss", point.at("loss")},
                        {"validation_error", point.at("figure")}, {"seconds", point.at("seconds")}});
  }
  return seeds;
}

}  // namespace

std::vector<TrainedNetwork> find_networks(const Pictures& pictures, const training::WeightFolders& folders) {
  std::vector<TrainedNetwork> found;
  for (const NetworkPlan& plan : network_plans())
    if (auto network = load_network(plan, pictures.training.images.shape(0), pictures.real, folders)) found.push_back({&plan, std::move(*network)});
  return found;
}

void network_accuracies(const ladder::ChapterRun& run, const Pictures& pictures, std::span<const TrainedNetwork> networks) {
  Json rows = Json::array(), curves = Json::array();
  program::Table table({"network", "test accuracy", "95 % ±", "seeds", "weights", "MFLOP", "µs a picture"});
  double plain = std::nan("");  // the plain network comes first
  for (const TrainedNetwork& trained : networks) {
    const std::string name = short_name(*trained.plan);
    const double own = accuracy(trained.network, pictures.test);
    Seeds seeds = pictures.real ? seeds_of(*trained.plan, run.trained, curves) : Seeds{};
    if (seeds.shares.empty()) seeds.shares = {own};
    const double mean = seeds.mean();
    if (trained.plan == &network_plans().front()) plain = mean;
    // Of several trainings the spread between them; of one, what so few test pictures leave open.
    const double interval = seeds.shares.size() > 1 ? numerics::mean_interval(seeds.shares) : numerics::binomial_interval(mean, pictures.test.images.shape(0));
    ResidualNetwork<float> counted(trained.plan->sizes, 1);
    const Index weights = autograd::count(counted.parameters());
    const double operations = picture_operations(trained.plan->sizes, picture_side);
    const double seconds = seconds_a_picture(trained.network, pictures.test, run.quick);
    rows.push_back({{"network", name}, {"accuracy", mean}, {"95 % ±", interval}, {"seeds", seeds.shares.size()}, {"lowest", std::ranges::min(seeds.shares)},
                    {"highest", std::ranges::max(seeds.shares)}, {"over plain", std::isnan(plain) ? Json(nullptr) : Json(mean - plain)}, {"seed 1, these weights", own}, {"weights", weights},
                    {"MFLOP a picture", operations / 1e6}, {"µs a picture", seconds * 1e6}, {"longest training, s", seeds.seconds}});
    table.add({name, fmt::format("{:.2f} %", 100 * mean), fmt::format("{:.2f}", 100 * interval), fmt::format("{}", seeds.shares.size()),
               fmt::format("{}", weights), fmt::format("{:.2f}", operations / 1e6), fmt::format("{:.0f}", seconds * 1e6)});
    run.figure("fashion_accuracy_" + name, mean, "1",
               fmt::format("share of {} test pictures whose class the residual network tells, {}: mean over {} trainings", pictures.test.images.shape(0), name, seeds.shares.size()));
    run.figure("fashion_accuracy_" + name + "_spread", interval, "1",
               seeds.shares.size() > 1 ? "half of the 95 % interval of that mean, by the spread of the seeds" : "half of the 95 % interval that so many test pictures leave open; one training");
  }
  if (!networks.empty() && networks.front().plan == &network_plans().front() && pictures.real)
    run.figure("fashion_mistakes_among_tops", mistakes_among_tops(networks.front().network, pictures.test), "1",
               "of the plain network's mistakes, those that take one of T-shirt, pullover, dress, coat and shirt for another of them");
  if (!networks.empty())
    std::cout << fmt::format("Residual networks on pictures of clothes{}\n{}\n", pictures.real ? "" : " (generated stand-in data)", table.text());
  if (networks.size() < network_plans().size())
    std::cout << fmt::format("{} of {} networks are not trained: ./course train 06 makes the weights that are missing.\n\n", network_plans().size() - networks.size(),
                             network_plans().size());
  run.results.write("fashion_accuracy", {{"rows", rows}});
  run.results.write("fashion_curves", {{"rows", curves}});
}

}  // namespace attention::convolutional
