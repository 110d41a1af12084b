#include <fmt/format.h>

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

void accuracy_over_heads(const ladder::ChapterRun& run, const GlossCorpus& corpus) {
  program::Table table({{"heads"}, {"dim of one"}, {"accuracy, seed 1"}, {"trainings"}, {"mean"}, {"95 % ±"}});
  Json rows = Json::array();
  for (const Index heads : compared_heads) {
    const std::filesystem::path file = run.trained.weights(heads_name(heads));
    if (file.empty()) continue;
    const double own = accuracy(load_heads(heads, corpus, file), corpus.test);
    const std::vector<double> all = accuracies_of(heads, run.trained);
    const double mean = all.empty() ? own : std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    const double interval = numerics::mean_interval(all);
    table.add({fmt::format("{}", heads), fmt::format("{}", corpus.sizes.width / heads), percent(own), fmt::format("{}", all.size()), percent(mean),
               std::isnan(interval) ? "" : fmt::format("{:.1f}", 100 * interval)});
    rows.push_back({{"heads", heads}, {"dim", corpus.sizes.width / heads}, {"accuracy", own}, {"trainings", all.size()}, {"mean", mean},
                    {"95 % ±", std::isnan(interval) ? Json(nullptr) : Json(interval)}});
    run.figure(fmt::format("heads_accuracy_{}", heads), mean, "1", fmt::format("share of {} test glosses told rightly with {} heads, mean over trainings", corpus.test.texts.size(), heads));
  }
  std::cout << fmt::format("Trained with 1 to 16 heads at constant width {}: the class of a noun from its gloss, {} glosses\n{}\n", corpus.sizes.width,
                           corpus.test.texts.size(), table.text());
  run.results.write("heads_accuracy", {{"test_glosses", corpus.test.texts.size()}, {"width", corpus.sizes.width}, {"rows", rows}});
}

void without_heads(const ladder::ChapterRun& run, const GlossCorpus& corpus) {
  const std::filesystem::path file = run.trained.weights(heads_name(pruned_heads));
  if (file.empty()) return;
  const GlossClassifier<float> model = load_heads(pruned_heads, corpus, file);
  const double whole = accuracy(model, corpus.test);
  Json single = Json::array(), rows = Json::array();
  for (Index head = 0; head < pruned_heads; ++head) {
    GlossClassifier<float> without = model;
    without.gates[static_cast<std::size_t>(head)] = 0;
    single.push_back({{"head", head + 1}, {"accuracy", accuracy(without, corpus.test)}, {"change", accuracy(without, corpus.test) - whole}});
  }
  program::Table table({{"heads left"}, {"last to go"}, {"validation"}, {"test"}});
  table.add({fmt::format("{}", pruned_heads), "", percent(accuracy(model, corpus.validation)), percent(whole)});
  rows.push_back({{"left", pruned_heads}, {"gone", nullptr}, {"validation", accuracy(model, corpus.validation)}, {"test", whole}});
  Index left = pruned_heads;
  for (const Pruned& p : prune(model, corpus.validation, corpus.test)) {
    --left;
    table.add({fmt::format("{}", left), fmt::format("{}", p.head + 1), percent(p.choosing), percent(p.test)});
    rows.push_back({{"left", left}, {"gone", p.head + 1}, {"validation", p.choosing}, {"test", p.test}});
  }
  std::cout << fmt::format("The {} heads of a trained model taken out one after the other, each time the one that is missed least\n{}\n", pruned_heads, table.text());
  run.results.write("heads_pruned", {{"whole", whole}, {"single", single}, {"rows", rows}});
}

}  // namespace

void trained_heads(const ladder::ChapterRun& run, const datasets::Glosses& glosses) {
  std::vector<std::string> missing;
  for (const Index heads : compared_heads)
    if (run.trained.weights(heads_name(heads)).empty()) missing.push_back(heads_name(heads));
  if (!glosses.real || missing.size() == std::size(compared_heads)) {
    std::cout << (glosses.real ? "No model with 1 to 16 heads is trained here; ./course train 03 makes them\n\n"
                               : "WordNet is not here, so the models trained with 1 to 16 heads are left out\n\n");
    return;
  }
  const GlossCorpus corpus(datasets::choose_gloss_classes(glosses));
  accuracy_over_heads(run, corpus);
  without_heads(run, corpus);
  if (!missing.empty()) std::cout << fmt::format("Not trained here, so left out: {}; ./course train 03 makes them\n\n", fmt::join(missing, ", "));
}

}  // namespace attention::multi_head
