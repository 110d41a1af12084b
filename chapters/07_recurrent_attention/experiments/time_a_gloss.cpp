#include <fmt/format.h>

#include <iostream>

#include "experiments/experiments.hpp"
#include "look.hpp"
#include "machine/affinity.hpp"
#include "machine/clock.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"

namespace attention::recurrent_attention {

namespace {

/// The seconds of each gloss: median of several passes over some of the test glosses.
template <class Pass>
std::pair<double, double> measured(std::size_t glosses, int passes, Pass pass) {
  std::vector<double> seconds;
  pass();  // caches and memory
  for (int i = 0; i < passes; ++i) {
    const double start = machine::now_seconds();
    pass();
    seconds.push_back((machine::now_seconds() - start) / static_cast<double>(glosses));
  }
  return {numerics::median(seconds), numerics::spread(seconds)};
}

}  // namespace

void time_a_gloss(const Context& c) {
  Json rows = Json::array();
  program::Table table({"way", "one by one, one thread", "in batches, all threads"});
  const std::size_t glosses = std::min<std::size_t>(c.corpus.test.size(), c.quick ? 64 : 512);
  const int passes = c.quick ? 3 : 7;
  const std::span<const Example> some(c.corpus.test.data(), glosses);
  for (const TrainedClassifier& classifier : c.classifiers) {
    const auto [alone, alone_spread] = [&] {
      const machine::ThreadScope one(1);
      return measured(glosses, passes, [&] {
        for (const Example& example : some) read(classifier.model, example.words, c.corpus.lexicon);
      });
    }();
    const auto [together, together_spread] = measured(glosses, passes, [&] { scores_of(classifier.model, some, c.corpus.lexicon); });
    rows.push_back({{"way", name_of(classifier.model.pooling)}, {"one by one, µs", alone * 1e6}, {"± µs", alone_spread * 1e6},
                    {"in batches, µs", together * 1e6}, {"± µs ", together_spread * 1e6}});
    table.add({name_of(classifier.model.pooling), fmt::format("{:.0f} µs", alone * 1e6), fmt::format("{:.0f} µs", together * 1e6)});
    if (classifier.model.pooling == Pooling::attention)
      c.figure("seconds_a_gloss", alone, "s", "time to read one gloss with attention, alone, one thread");
  }
  if (table.rows() > 0) std::cout << fmt::format("Time of one gloss, {} test glosses\n{}\n", glosses, table.text());
  c.results.write("time", {{"glosses", glosses}, {"threads", c.threads}, {"rows", rows}});
}

}  // namespace attention::recurrent_attention
