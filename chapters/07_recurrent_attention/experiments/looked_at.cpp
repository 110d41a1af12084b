#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "experiments/experiments.hpp"
#include "look.hpp"
#include "program/table.hpp"
#include "program/terminal.hpp"
#include "program/words_by_weight.hpp"
#include "record/attention_record.hpp"

namespace attention::recurrent_attention {

namespace {

/// A word must stand so often in the test glosses to be listed, and so many are listed at each end.
constexpr std::size_t least_often = 20, listed = 10;
constexpr std::size_t glosses_shown = 6;

struct Looked {
  double sum = 0;  ///< of weight times length: 1 is what equal weights would give
  std::size_t count = 0;
  double mean() const { return sum / static_cast<double>(count); }
};

std::vector<std::string> words_of(const Example& example, const Lexicon& lexicon) {
  std::vector<std::string> words;
  for (const Index number : example.words) words.push_back(lexicon.word(number));
  return words;
}

}  // namespace

void looked_at(const Context& c) {
  Json rows = Json::array(), shown = Json::array();
  const auto found = std::ranges::find(c.classifiers, Pooling::attention, [](const TrainedClassifier& t) { return t.model.pooling; });
  if (found == c.classifiers.end()) {
    c.results.write("looked_at", {{"rows", rows}, {"glosses", shown}});
    return;
  }
  const bool colour = program::wants_colour(program::Stream::output);
  std::map<std::string, Looked> words;
  double largest_sum = 0;
  std::size_t glosses = 0;
  std::cout << "Words by their weight, in glosses of the test set\n";
  for (const Example& example : c.corpus.test) {
    const Reading reading = read(found->model, example.words, c.corpus.lexicon);
    const std::vector<std::string> gloss = words_of(example, c.corpus.lexicon);
    const auto length = static_cast<double>(gloss.size());
    for (std::size_t i = 0; i < gloss.size(); ++i) {
      Looked& looked = words[gloss[i]];
      looked.sum += static_cast<double>(reading.weights[i]) * length;
      ++looked.count;
    }
    largest_sum += static_cast<double>(std::ranges::max(reading.weights));
    ++glosses;
    // One gloss of handy length for each of the first classes.
    if (shown.size() >= glosses_shown || gloss.size() < 7 || gloss.size() > 14 || example.label != static_cast<Index>(shown.size())) continue;
    const std::string name = fmt::format("gloss_{}", shown.size() + 1);
    record::AttentionRecord record;
    const std::string told = c.corpus.classes[reading.best()];
    record.title = fmt::format("{} ({}), read as {}", example.noun, c.corpus.classes[static_cast<std::size_t>(example.label)], told);
    record.queries = record::tokens({told});
    record.keys = record::tokens(gloss);
    record.machine = c.results.machine();
    record.weights = tensor::empty<4>({1, 1, 1, gloss.size()});
    std::ranges::copy(reading.weights, record.weights.data());
    record::write(record, c.results.folder(), name);
    std::cout << fmt::format("  {:<28} {}\n", record.title, program::words_by_weight(gloss, reading.weights, colour));
    shown.push_back({{"noun", example.noun}, {"class", c.corpus.classes[static_cast<std::size_t>(example.label)]}, {"told", told}, {"record", name},
                     {"words", gloss}, {"weights", reading.weights}});
  }
  std::vector<std::pair<std::string, Looked>> often;
  for (const auto& entry : words)
    if (entry.second.count >= least_often) often.push_back(entry);
  std::ranges::stable_sort(often, [](const auto& a, const auto& b) { return a.second.mean() > b.second.mean(); });
  program::Table table({"looked at most", "times the equal weight", "looked at least", "times"});
  const std::size_t count = std::min(listed, often.size() / 2);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [most, with] = often[i];
    const auto& [least, without] = often[often.size() - 1 - i];
    table.add({most, fmt::format("{:.2f}", with.mean()), least, fmt::format("{:.2f}", without.mean())});
    rows.push_back({{"looked at most", most}, {"times the equal weight", with.mean()}, {"looked at least", least}, {"times the equal weight ", without.mean()}});
  }
  std::cout << fmt::format("\nWords that stand {} times or more in the test glosses\n{}\n", least_often, table.text());
  c.results.write("looked_at", {{"rows", rows}, {"glosses", shown}});
  c.figure("largest_weight", largest_sum / static_cast<double>(std::max<std::size_t>(1, glosses)), "1",
           "the largest weight of a gloss's words, mean over the test glosses");
}

}  // namespace attention::recurrent_attention
