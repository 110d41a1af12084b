#include <iostream>

#include "experiments/experiments.hpp"
#include "explanation_report.hpp"
#include "shelf.hpp"

namespace attention::visualising {

void explains_a_classifier(const Context& c) {
  const std::filesystem::path folder =
      folder_with(c.all_results, "07_recurrent_attention", "glosses.evidence.json", c.quick);
  if (folder.empty()) {
    std::cout << "Do the weights explain the answers? Left out: 07_recurrent_attention has left no evidence; "
                 "./course run 07 makes it where a "
                 "classifier is trained\n\n";
    return;
  }
  for (ladder::Figure& figure : report_explanation(record::read_evidence(folder / "glosses.evidence.json"),
                                                   c.results, "explanation", "classifier_", std::cout))
    c.figures.push_back(std::move(figure));
}

}  // namespace attention::visualising
