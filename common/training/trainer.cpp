#include "training/trainer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <limits>

#include "machine/clock.hpp"
#include "program/atomic_file.hpp"
#include "program/error.hpp"
#include "program/in_parallel.hpp"
#include "program/progress.hpp"
#include "program/stop_request.hpp"
#include "training/checkpoint.hpp"

namespace attention::training {

namespace {

/// A seed of its own for each part of each step.
std::uint64_t seed_of(const Recipe& recipe, std::int64_t step, int part) {
  numerics::Random seeds(recipe.seed * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(step) * 1024 + static_cast<std::uint64_t>(part));
  return seeds.bits();
}

/// One step: all parts, forward and backward, their gradients added, the weights moved. Gives the loss of the batch.
double take_step(const Task& task, const Recipe& recipe, std::int64_t step, Adam& adam) {
  std::vector<std::unique_ptr<Tape<float>>> tapes(static_cast<std::size_t>(recipe.parts));
  std::vector<double> losses(tapes.size(), 0);
  program::in_parallel(tapes.size(), [&](std::size_t i) {
    const int part = static_cast<int>(i);
    tapes[i] = std::make_unique<Tape<float>>(autograd::Mode::training, seed_of(recipe, step, part));
    const Variable<float> loss = task.loss(*tapes[i], step, part);
    losses[i] = static_cast<double>(loss.data()[0]);
    tapes[i]->backward(loss);
  });
  double loss = 0;
  for (const double part : losses) loss += part;
  Gradients gradients = sum_of(tapes, task.parameters);
  const double length = clip_norm(gradients, recipe.clip);
  if (!std::isfinite(loss) || !std::isfinite(length))
    throw program::CheckFailed(fmt::format("{}: the loss of step {} is {}, the length of its gradient {}: they must be numbers", recipe.name, step, loss, length));
  adam.step(gradients, cosine_rate(step, recipe.steps, recipe.peak_rate, recipe.warm_up));
  return loss;
}

}  // namespace

Trained train(const Task& task, const Recipe& recipe, const std::filesystem::path& checkpoint, double save_every) {
  Adam adam(task.parameters, recipe.adam);
  State state;
  keep_best(state, task.parameters);
  program::make_folder(checkpoint.parent_path());
  program::require_writable(checkpoint);
  if (std::filesystem::exists(checkpoint)) state = resume(checkpoint, recipe, task.parameters, adam);
  std::int64_t& step = state.trained.steps;
  const auto say = [](const std::string& line) { std::cout << line << std::endl; };
  if (step > 0 && step < recipe.steps) say(fmt::format("{} goes on from step {} of {}", recipe.name, step, recipe.steps));

  const program::StopRequest stop;
  const double before = state.trained.seconds;
  const double began = machine::now_seconds();
  double saved = began;
  bool stopped = false;
  {
    program::Progress progress("training " + recipe.name, recipe.steps - step);
    while (step < recipe.steps && !stopped) {
      const double loss = take_step(task, recipe, step, adam);
      ++step;
      state.loss_sum += loss;
      ++state.loss_count;
      progress.step();
      if (step % 10 == 0)
        progress.note(fmt::format("loss {:.4f}, rate {:.1e}", state.loss_sum / static_cast<double>(state.loss_count),
                                  cosine_rate(step, recipe.steps, recipe.peak_rate, recipe.warm_up)));
      state.trained.seconds = before + machine::now_seconds() - began;
      if (step % recipe.evaluate_every == 0 || step == recipe.steps) {
        const double figure = task.evaluate();
        state.trained.curve.push_back({step, state.loss_sum / static_cast<double>(state.loss_count), figure, state.trained.seconds});
        state.loss_sum = 0;
        state.loss_count = 0;
        if (state.trained.best_step == 0 || figure < state.trained.best) {
          state.trained.best = figure;
          state.trained.best_step = step;
          keep_best(state, task.parameters);
        }
        progress.clear();
        const CurvePoint& point = state.trained.curve.back();
        say(fmt::format("step {:6} of {}   loss {:.4f}   {} {:.4f}   {:.0f} s", point.step, recipe.steps, point.loss, task.evaluated, point.figure,
                        point.seconds));
      }
      stopped = stop.requested();
      if (stopped || step == recipe.steps || machine::now_seconds() - saved > save_every) {
        save(checkpoint, recipe, task.parameters, adam, state);
        saved = machine::now_seconds();
      }
    }
  }
  if (step == recipe.steps) restore_best(state, task.parameters);
  return state.trained;
}

}  // namespace attention::training
