#include <fmt/format.h>

#include <iostream>

#include "experiments/experiments.hpp"
#include "program/table.hpp"
#include "recall_training.hpp"

namespace attention::self_attention {

void trained_recall(const Context& c) {
  const RecallBatch test = recall_test(c.quick ? 2048 : 16384);
  constexpr Index group = 8;  // distances that are counted together
  program::Table table({{"looks back by"}, {"weights"}, {"sees"}, {"1 to 8"}, {"9 to 16"}, {"17 to 32"}, {"33 to 64"}, {"all"}});
  Json rows = Json::array(), curves = Json::array();
  std::vector<std::string> missing;
  for (const LookBack way : all_look_backs) {
    const std::filesystem::path file = c.trained.weights(recall_name(way));
    if (file.empty()) {
      missing.push_back(recall_name(way));
      continue;
    }
    RecallModel<float> model = load_recall(way, file);
    const RecallScore found = score(model, test);
    const Index weights = autograd::count(model.parameters());
    const auto percent = [&](Index first, Index last) { return fmt::format("{:.1f} %", 100 * found.share(first, last)); };
    table.add({name_of(way), fmt::format("{}", weights), fmt::format("{}", reach_of(way)), percent(1, 8), percent(9, 16), percent(17, 32), percent(33, 64),
               percent(1, recall_pairs)});
    rows.push_back({{"way", name_of(way)}, {"weights", weights}, {"sees", reach_of(way)}, {"1 to 8", found.share(1, 8)}, {"9 to 16", found.share(9, 16)},
                    {"17 to 32", found.share(17, 32)}, {"33 to 64", found.share(33, 64)}, {"all", found.share(1, recall_pairs)}});
    for (Index first = 1; first <= recall_pairs; first += group)
      curves.push_back({{"way", name_of(way)}, {"distance", first}, {"below", first + group}, {"right", found.share(first, first + group - 1)}});
    c.figure("recall_" + name_of(way), found.share(1, recall_pairs), "1",
             fmt::format("share of right answers: the value of one name among {} pairs, looked back by {}", recall_pairs, name_of(way)));
  }
  if (!missing.empty()) std::cout << fmt::format("Not trained here, so left out: {}; ./course train 04 makes them\n\n", fmt::join(missing, ", "));
  if (rows.empty()) return;
  std::cout << fmt::format("Trained to recall one of {} pairs, by how many steps back it stands; chance is {:.1f} %\n{}\n", recall_pairs,
                           100.0 / recall_values, table.text());
  c.results.write("trained_recall", {{"pairs", recall_pairs}, {"chance", 1.0 / recall_values}, {"tested", test.sequences()}, {"rows", rows}, {"curves", curves}});
}

}  // namespace attention::self_attention
