#include "time_training.hpp"

#include <fmt/format.h>
#include <omp.h>
#include <unistd.h>

#include <iostream>

#include "picture_training.hpp"
#include "program/error.hpp"

namespace attention::convolutional {

void time_training(std::int64_t steps, const std::filesystem::path& data, std::ostream& out) {
  if (steps < 1) throw program::UserError("--time-training asks for a number of steps, 1 or more");
  const Pictures pictures(datasets::load_fashion_mnist(data));
  const NetworkPlan& plan = network_plans().front();
  const std::size_t count = pictures.training.images.shape(0);
  training::Recipe recipe = recipe_of(plan, count, pictures.real);
  recipe.steps = recipe.evaluate_every = steps;
  ResidualNetwork<float> network(plan.sizes, recipe.seed);
  training::Task task = task_of(network, pictures, recipe);
  task.evaluate = [] { return 0.0; };
  // A training leaves its state; this one is nobody's.
  const std::filesystem::path scratch = std::filesystem::temp_directory_path() / fmt::format("course_time_training_{}", ::getpid());
  std::ostream& progress = std::cout;
  std::streambuf* kept = progress.rdbuf(nullptr);  // standard output is for the one line
  training::Trained trained;
  try {
    trained = training::train(task, recipe, scratch / "checkpoint.safetensors");
  } catch (...) {
    progress.rdbuf(kept);
    std::filesystem::remove_all(scratch);
    throw;
  }
  progress.rdbuf(kept);
  progress.clear();
  std::filesystem::remove_all(scratch);
  out << Json{{"seconds_a_step", trained.seconds / static_cast<double>(steps)}, {"pictures_a_step", recipe.configuration.at("batch")},
              {"pictures_an_epoch", count}, {"steps", steps}, {"threads", omp_get_max_threads()}}
             .dump()
      << std::endl;
}

}  // namespace attention::convolutional
