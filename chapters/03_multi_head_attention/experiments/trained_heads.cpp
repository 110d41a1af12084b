#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "experiments/experiments.hpp"
#include "gloss_training.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"
#include "training/records.hpp"

namespace attention::multi_head {

namespace {

constexpr Index pruned_heads = 8;  ///< of the model whose heads are taken out

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// The test accuracies of all trainings on real glosses, as their records tell them.
std::vector<double> accuracies_of(Index heads, const training::WeightFolders& folders) {
  std::vector<double> found;
  for (const auto& [seed, record] : training::records_of(heads_name(heads), folders))
    if (record.real()) found.push_back(record.figure("test_accuracy"));
  return found;
}

void accuracy_over_heads(const ladder::ChapterRun& run, const GlossSizes& sizes) {
  program::Table table({{"heads"}, {"dim of one"}, {"trainings"}, {"accuracy"}, {"95 % ±"}, {"lowest"}, {"highest"}});
  Json rows = Json::array();
  std::vector<std::string> missing;
  for (const Index heads : compared_heads) {
    const std::vector<double> all = accuracies_of(heads, run.trained);
    if (all.empty()) {
      missing.push_back(heads_name(heads));
      continue;
    }
    const double mean = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    const double interval = numerics::mean_interval(all);
    const auto [lowest, highest] = std::ranges::minmax(all);
    table.add({fmt::format("{}", heads), fmt::format("{}", sizes.width / heads), fmt::format("{}", all.size()), percent(mean),
               std::isnan(interval) ? "" : fmt::format("{:.1f}", 100 * interval), percent(lowest), percent(highest)});
    rows.push_back({{"heads", heads}, {"dim", sizes.width / heads}, {"trainings", all.size()}, {"mean accuracy", mean},
                    {"95 % ±", std::isnan(interval) ? Json(nullptr) : Json(interval)}, {"lowest", lowest}, {"highest", highest}});
    run.figure(fmt::format("heads_accuracy_{}", heads), mean, "1", fmt::format("share of test glosses told rightly with {} heads, mean over the records of its trainings", heads));
  }
  if (!missing.empty()) std::cout << fmt::format("Not trained, so left out: {}; ./course train 03 makes them\n", fmt::join(missing, ", "));
  if (rows.empty()) return;
  std::cout << fmt::format("Trained with 1 to 16 heads at constant width {}: the class of a noun from its gloss, as the records of the trainings tell\n{}\n", sizes.width,
                           table.text());
  run.results.write("heads_accuracy", {{"width", sizes.width}, {"rows", rows}});
}

void without_heads(const ladder::ChapterRun& run, const GlossCorpus& corpus) {
  const std::filesystem::path file = run.trained.weights(heads_name(pruned_heads));
  if (file.empty()) {
    std::cout << fmt::format("{0} is not trained here, so no head of it is taken out; ./course train 03 {0} makes it\n\n", heads_name(pruned_heads));
    return;
  }
  const GlossClassifier<float> model = load_heads(pruned_heads, corpus, file);
  const double choosing = accuracy(model, corpus.validation), test = accuracy(model, corpus.test);
  Json rows = Json::array();
  program::Table table({{"heads left"}, {"last to go"}, {"validation"}, {"test"}});
  table.add({fmt::format("{}", pruned_heads), "", percent(choosing), percent(test)});
  rows.push_back({{"left", pruned_heads}, {"gone", nullptr}, {"validation", choosing}, {"test", test}});
  Index left = pruned_heads;
  for (const Pruned& p : prune(model, corpus.validation, corpus.test)) {
    --left;
    table.add({fmt::format("{}", left), fmt::format("{}", p.head + 1), percent(p.choosing), percent(p.test)});
    rows.push_back({{"left", left}, {"gone", p.head + 1}, {"validation", p.choosing}, {"test", p.test}});
  }
  std::cout << fmt::format("The {} heads of a trained model taken out one after the other, each time the one that is missed least\n{}\n", pruned_heads, table.text());
  run.results.write("heads_pruned", {{"rows", rows}});
}

}  // namespace

void trained_heads(const ladder::ChapterRun& run, const datasets::Glosses& glosses) {
  if (!glosses.real) {
    std::cout << "WordNet is not here, so the models trained with 1 to 16 heads are left out\n\n";
    return;
  }
  const GlossCorpus corpus(datasets::choose_gloss_classes(glosses));
  accuracy_over_heads(run, corpus.sizes);
  without_heads(run, corpus);
}

}  // namespace attention::multi_head
