#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "evidence_of.hpp"
#include "experiments/experiments.hpp"

namespace attention::recurrent_attention {

void evidence(const Context& c) {
  const auto found = std::ranges::find(c.classifiers, Pooling::attention,
                                       [](const TrainedClassifier& t) { return t.model.pooling; });
  if (found == c.classifiers.end()) return;
  const std::size_t most = c.quick ? 60 : 1000;
  std::vector<Example> examples;
  // From all over the test set; one word has nothing to be weighed against.
  const std::size_t step = std::max<std::size_t>(1, c.corpus.test.size() / most);
  for (std::size_t i = 0; i < c.corpus.test.size() && examples.size() < most; i += step)
    if (c.corpus.test[i].words.size() > 1) examples.push_back(c.corpus.test[i]);
  record::EvidenceRecord record = evidence_of(found->model, examples, c.corpus,
                                              fmt::format("{} glosses of the test set", examples.size()));
  record.machine = c.results.machine();
  record::write(record, c.results.folder(), "glosses");
  std::cout << fmt::format(
      "On what the answers to {} glosses depend, word by word, is in glosses.evidence.json\n\n",
      examples.size());
}

}  // namespace attention::recurrent_attention
