#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "experiments/experiments.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"
#include "training/records.hpp"

namespace attention::recurrent_attention {

void accuracies(const Context& c) {
  Json rows = Json::array();
  const std::size_t tested = c.corpus.test.size();
  const auto add = [&](const std::string& way, double share, Json weights) {
    rows.push_back({{"way", way}, {"accuracy", share}, {"95 % ±", numerics::binomial_interval(share, tested)}, {"weights", std::move(weights)}});
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
      for (const auto& [seed, record] : training::records_of(recipe_name(pooling), c.trained)) {
        if (!record.real()) continue;
        shares.push_back(record.figure("test_accuracy"));
        seconds = std::max(seconds, record.seconds);
        for (const Json& point : record.curve)
          curves.push_back({{"way", name_of(pooling)}, {"seed", seed}, {"step", point.at("step")}, {"loss", point.at("loss")},
                            {"validation_error", point.at("figure")}, {"seconds", point.at("seconds")}});
      }
    if (shares.empty()) continue;
    const double mean = std::accumulate(shares.begin(), shares.end(), 0.0) / static_cast<double>(shares.size());
    const double interval = numerics::mean_interval(shares);
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
