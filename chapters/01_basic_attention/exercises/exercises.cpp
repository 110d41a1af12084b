// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::additive {

std::vector<exercise::Exercise> exercises() {
  const auto task = [](exercise::Task t) { return exercise::describe(std::move(t), mechanism(), mistakes()); };
  const std::string timed = "queries=256,hidden=64";
  return {task({.name = "formula", .fixed = {}, .timed = "queries=128,hidden=32", .marks = {0.0001, 0.0004, 0.01}}),
          task({.name = "hoisted", .fixed = {}, .timed = timed, .marks = {0.001, 0.005, 0.02}}),
          task({.name = "parallel", .fixed = {}, .timed = timed, .parallel = true, .marks = {0.001, 0.005, 0.02}}),
          task({.name = "one_pass", .fixed = {}, .timed = timed, .parallel = true, .marks = {0.001, 0.02, 0.1}})};
}

}  // namespace attention::additive
