#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <numeric>

#include "experiments/experiments.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/table.hpp"
#include "program/text.hpp"

namespace attention::recurrent_attention {

namespace {

namespace fs = std::filesystem;

/// Half of the interval in which the share that would be found on all glosses of this kind lies with 95 %: the normal approximation
/// of the binomial distribution.
double binomial_interval(double share, std::size_t count) { return 1.96 * std::sqrt(share * (1 - share) / static_cast<double>(count)); }

/// Half of the 95 % interval of the mean over seeds: Student's t (Student 1908), for 2 to 5 of them; NaN for others.
double seed_interval(const std::vector<double>& values) {
  constexpr double t[] = {12.706, 4.303, 3.182, 2.776};  // 0.975 quantiles of 1 to 4 degrees of freedom
  if (values.size() < 2 || values.size() > 5) return NAN;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return t[values.size() - 2] * std::sqrt(squares / (n - 1) / n);
}

/// What a record says of a training.
struct Record {
  double accuracy = 0;
  double seconds = 0;
  Json curve;
};

/// Throws UserError where the file is none; gives false where it was trained on stand-in data.
bool read_record(const fs::path& file, std::uint64_t& seed, Record& to) {
  const std::string text = program::read_text(file, 1 << 24);
  try {
    const Json record = Json::parse(text);
    record.at("recipe").at("seed").get_to(seed);
    record.at("figures").at("test_accuracy").get_to(to.accuracy);
    record.at("training").at("seconds").get_to(to.seconds);
    to.curve = record.at("training").at("curve");
    return record.at("figures").at("data") == "real";
  } catch (const Json::exception& error) {
    throw program::UserError(fmt::format("{}: no record of a training ({}); remove the file", program::one_line(file.string()), program::one_line(error.what(), 80)));
  }
}

/// The records of a model's trainings by seed: the reader's own where he has one, else the course's.
std::map<std::uint64_t, Record> records_of(const std::string& name, const training::WeightFolders& folders) {
  std::map<std::uint64_t, Record> records;
  for (const fs::path& folder : {folders.published / "records", folders.trainings}) {
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename().string();
      if (!file.starts_with(name + "-seed") || !file.ends_with(".json")) continue;
      std::uint64_t seed = 0;
      Record record;
      if (read_record(entry.path(), seed, record)) records.insert_or_assign(seed, std::move(record));
    }
  }
  return records;
}

}  // namespace

void accuracies(const Context& c) {
  Json rows = Json::array();
  const std::size_t tested = c.corpus.test.size();
  const auto add = [&](const std::string& way, double share, Json weights) {
    rows.push_back({{"way", way}, {"accuracy", share}, {"95 % ±", binomial_interval(share, tested)}, {"weights", std::move(weights)}});
  };
  const double bayes = datasets::naive_bayes_accuracy(c.glosses);
  add("naive Bayes", bayes, nullptr);
  c.figure("wordnet_accuracy_naive_bayes", bayes, "1", fmt::format("share of {} test glosses whose class naive Bayes tells: each word by itself, without order", tested));
  for (TrainedClassifier classifier : c.classifiers) {
    const std::string way = name_of(classifier.model.pooling);
    const double share = accuracy(classifier.model, c.corpus.test, c.corpus.lexicon);
    add(way, share, autograd::count(classifier.model.parameters()));
    c.figure("wordnet_accuracy_" + way, share, "1", fmt::format("the same by a bidirectional LSTM with {}, the weights of seed 1", way));
  }
  program::Table table({"way", "accuracy", "95 % ±", "weights"});
  for (const Json& row : rows)
    table.add({row["way"], fmt::format("{:.1f} %", 100 * row["accuracy"].get<double>()), fmt::format("{:.1f}", 100 * row["95 % ±"].get<double>()),
               row["weights"].is_null() ? "" : fmt::format("{}", row["weights"].get<Index>())});
  std::cout << fmt::format("The class of a noun from its gloss, {} glosses in {} classes{}\n{}\n", tested, c.corpus.classes.size(),
                           c.corpus.real ? "" : " (generated stand-in data)", table.text());
  if (c.classifiers.size() < std::size(all_poolings))
    std::cout << fmt::format("{}; its figures are left out.\n\n",
                             c.corpus.real ? how_to_train : "A classifier is trained on real glosses and the sentence encoder's word vectors, of which one is not there");
  c.results.write("accuracy", {{"test_glosses", tested}, {"classes", c.corpus.classes}, {"rows", rows}});

  Json seeds = Json::array();
  Json curves = Json::array();
  program::Table summary({"way", "seeds", "mean", "95 % ±", "training, s"});
  for (const Pooling pooling : all_poolings) {
    std::vector<double> shares;
    double seconds = 0;
    if (c.corpus.real)
      for (const auto& [seed, record] : records_of(recipe_name(pooling), c.trained)) {
        shares.push_back(record.accuracy);
        seconds = std::max(seconds, record.seconds);
        for (const Json& point : record.curve)
          curves.push_back({{"way", name_of(pooling)}, {"seed", seed}, {"step", point.at("step")}, {"loss", point.at("loss")},
                            {"validation_error", point.at("figure")}, {"seconds", point.at("seconds")}});
      }
    if (shares.empty()) continue;
    const double mean = std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(shares.size());
    const double interval = seed_interval(shares);
    seeds.push_back({{"way", name_of(pooling)}, {"seeds", shares.size()}, {"mean accuracy", mean}, {"95 % ±", std::isnan(interval) ? Json(nullptr) : Json(interval)},
                     {"lowest", std::ranges::min(shares)}, {"highest", std::ranges::max(shares)}, {"longest training, s", seconds}});
    summary.add({name_of(pooling), fmt::format("{}", shares.size()), fmt::format("{:.1f} %", 100 * mean),
                 std::isnan(interval) ? "" : fmt::format("{:.1f}", 100 * interval), fmt::format("{:.0f}", seconds)});
    c.figure("wordnet_accuracy_mean_of_seeds_" + name_of(pooling), mean, "1",
             fmt::format("mean of the accuracies of {} trainings from different beginnings, from their records", shares.size()));
  }
  if (summary.rows() > 0) std::cout << fmt::format("Over the seeds, as their records say\n{}\n", summary.text());
  c.results.write("seeds", {{"rows", seeds}});
  c.results.write("curves", {{"rows", curves}});
}

}  // namespace attention::recurrent_attention
