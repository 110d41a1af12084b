#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <map>

#include "experiments/words.hpp"
#include "program/table.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

struct RecallWay {
  std::string name;
  Mask mask;
  Positions positions;
};

/// A word and its last occurrence before.
struct RecallPair {
  Index query;
  Index key;
};

/// Words of at least `letters` letters that stand in the text exactly twice: what is looked for is one place.
std::vector<RecallPair> pairs_of(const std::vector<std::string>& text, std::size_t letters) {
  std::map<std::string, std::vector<Index>> places;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i].size() >= letters) places[text[i]].push_back(static_cast<Index>(i));
  std::vector<RecallPair> pairs;
  for (const auto& [word, at] : places)
    if (at.size() == 2) pairs.push_back({at[1], at[0]});
  return pairs;
}

}  // namespace

void recall_over_distance(const Context& c) {
  const Index n = c.quick ? 1024 : 2048;
  const std::vector<std::string> text = running_text(c.data, static_cast<std::size_t>(n), 41);
  const std::vector<RecallPair> pairs = pairs_of(text, 5);
  const RecallWay ways[] = {{"causal", Mask::causal(), Positions::none},
                      {"window of 128", Mask::sliding_window(128), Positions::none},
                      {"causal, sinusoidal", Mask::causal(), Positions::sinusoidal},
                      {"causal, rotary", Mask::causal(), Positions::rotary},
                      {"causal, linear biases", Mask::causal(), Positions::linear_biases}};
  program::Table table({{"mask and positions"}, {"distance from"}, {"to"}, {"pairs"}, {"weight on the earlier one"}, {"found"}});
  Json rows = Json::array();
  for (const RecallWay& way : ways) {
    // One head of 64 entries; slope 1/256 with linear biases.
    Problem p = word_problem(text, 1, 64, 1, way.mask, way.positions);
    Output out;
    simd(p, out);
    for (Index low = 1; low < n; low *= 4) {
      double weight = 0;
      Index found = 0;
      Index count = 0;
      for (const RecallPair& pair : pairs) {
        const Index distance = pair.query - pair.key;
        if (distance < low || distance >= 4 * low) continue;
        ++count;
        const KeyRange seen = p.keys_of(pair.query);
        if (pair.key < seen.first) continue;
        const float* row = out.weights_of(0, 0, pair.query) - seen.first;
        weight += static_cast<double>(row[pair.key]);
        // Found: no other word before gets more.
        bool best = true;
        for (Index j = seen.first; j < pair.query; ++j) best = best && row[j] <= row[pair.key];
        found += best;
      }
      if (count == 0) continue;
      weight /= static_cast<double>(count);
      const double share = static_cast<double>(found) / static_cast<double>(count);
      rows.push_back({{"way", way.name}, {"distance", low}, {"below", 4 * low}, {"pairs", count}, {"weight", weight}, {"found", share}});
      table.add({way.name, fmt::format("{}", low), fmt::format("{}", 4 * low - 1), fmt::format("{}", count),
                 fmt::format("{:.3f}", weight), fmt::format("{:.0f} %", 100 * share)});
    }
  }
  std::cout << fmt::format("Recall: a word looks for its one earlier occurrence, among the {} before it{}\n{}\n", n,
                           c.data.real ? "" : " (generated stand-in data)", table.text());
  c.results.write("recall", {{"n", n}, {"rows", rows}});
}

}  // namespace attention::self_attention
