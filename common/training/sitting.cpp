#include "training/sitting.hpp"

#include <fmt/format.h>

#include <iostream>

#include "machine/affinity.hpp"
#include "machine/description.hpp"
#include "program/atomic_file.hpp"
#include "program/input_file.hpp"
#include "training/checkpoint.hpp"

namespace attention::training {

namespace fs = std::filesystem;

bool sit(const Task& task, Recipe recipe, const Sitting& sitting, const std::function<Json()>& figures) {
  recipe.seed = sitting.seed;
  const std::string name = fmt::format("{}-seed{}", recipe.name, recipe.seed);
  const fs::path checkpoint = sitting.folder / (name + ".checkpoint.safetensors");
  if (sitting.again) fs::remove(checkpoint);
  std::cout << fmt::format("{}: {} weights, {} steps\n", name, autograd::count(task.parameters), recipe.steps);
  const Trained trained = train(task, recipe, checkpoint);
  if (trained.steps < recipe.steps) {
    std::cout << fmt::format("{} stopped at step {} of {}; the same command goes on from there\n", name, trained.steps, recipe.steps);
    return false;
  }
  const fs::path weights = sitting.folder / (name + ".safetensors");
  save_weights(weights, task.parameters, recipe, trained);
  // The figures are those of the weights that others will read: rounded to float16.
  load_weights(weights, task.parameters, recipe.configuration);
  const Json record = {{"schema", 1},
                       {"machine", machine::describe()},
                       {"command", fmt::format("./course train {} {}{}", sitting.folder.parent_path().filename().string().substr(0, 2), recipe.name,
                                               recipe.seed == 1 ? "" : fmt::format(" --seed {}", recipe.seed))},
                       {"recipe", describe(recipe)},
                       {"weights", autograd::count(task.parameters)},
                       {"evaluated", task.evaluated},
                       {"training", describe(trained)},
                       {"figures", figures()}};
  const std::string text = record.dump(1) + "\n";
  program::write_file(sitting.folder / (name + ".json"), text);
  if (!sitting.published.empty()) {
    program::make_folder(sitting.published / "records");
    program::write_file(sitting.published / "records" / (name + ".json"), text);
    if (recipe.seed == 1) save_weights(sitting.published / (recipe.name + ".safetensors"), task.parameters, recipe, trained);
  }
  std::cout << fmt::format("{}: best {} {:.4f} at step {} of {}, {:.0f} s; written to {}\n", name, task.evaluated, trained.best, trained.best_step, recipe.steps, trained.seconds,
                           weights.string());
  return true;
}

fs::path WeightFolders::weights(const std::string& model) const {
  for (const fs::path& file : {trainings / (model + "-seed1.safetensors"), published / (model + ".safetensors")})
    if (file.has_parent_path() && fs::exists(file)) return file;  // an empty folder is none
  return {};
}

}  // namespace attention::training
