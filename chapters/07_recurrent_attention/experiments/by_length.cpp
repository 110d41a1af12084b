#include <fmt/format.h>

#include <iostream>

#include "experiments/experiments.hpp"
#include "program/table.hpp"

namespace attention::recurrent_attention {

namespace {

/// Words of a gloss: from, to; the last has no end.
constexpr std::size_t bounds[] = {1, 6, 9, 13, 19, 10'000};

}  // namespace

void by_length(const Context& c) {
  Json rows = Json::array();
  program::Table table({"way", "words", "glosses", "accuracy"});
  for (const TrainedClassifier& classifier : c.classifiers) {
    const tensor::Tensor<2> scores = scores_of(classifier.model, c.corpus.test, c.corpus.lexicon);
    for (std::size_t bin = 0; bin + 1 < std::size(bounds); ++bin) {
      std::size_t all = 0, right = 0, words = 0;
      for (std::size_t i = 0; i < c.corpus.test.size(); ++i) {
        const Example& example = c.corpus.test[i];
        if (example.words.size() < bounds[bin] || example.words.size() >= bounds[bin + 1]) continue;
        ++all;
        words += example.words.size();
        right += class_of(scores, i) == example.label ? 1 : 0;
      }
      if (all == 0) continue;
      const std::string range = bin + 2 == std::size(bounds) ? fmt::format("{} or more", bounds[bin]) : fmt::format("{} to {}", bounds[bin], bounds[bin + 1] - 1);
      const double share = static_cast<double>(right) / static_cast<double>(all);
      rows.push_back({{"way", name_of(classifier.model.pooling)}, {"words", range}, {"mean words", static_cast<double>(words) / static_cast<double>(all)},
                      {"glosses", all}, {"accuracy", share}});
      table.add({name_of(classifier.model.pooling), range, fmt::format("{}", all), fmt::format("{:.1f} %", 100 * share)});
    }
  }
  if (table.rows() > 0) std::cout << fmt::format("By the length of the gloss\n{}\n", table.text());
  c.results.write("by_length", {{"rows", rows}});
}

}  // namespace attention::recurrent_attention
