// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::additive {

std::vector<exercise::Exercise> exercises() {
  const auto task = [](exercise::Task t) { return exercise::describe(std::move(t), mechanism(), mistakes()); };
  const std::string timed = "queries=256,hidden=64";
  return {task({.name = "formula", .fixed = {}, .timed = "queries=128,hidden=32", .marks = {0.0002, 0.0008, 0.01}}),
          task({.name = "hoisted", .fixed = {}, .timed = timed, .marks = {0.0005, 0.0015, 0.05}}),
          task({.name = "parallel", .fixed = {}, .timed = timed, .parallel = true, .marks = {0.0005, 0.001, 0.05}}),
          task({.name = "one_pass", .fixed = {}, .timed = timed, .parallel = true, .marks = {0.0005, 0.05, 0.3}})};
}

}  // namespace attention::additive
