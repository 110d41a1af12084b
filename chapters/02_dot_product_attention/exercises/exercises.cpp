// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::dot_product {

std::vector<exercise::Exercise> exercises() {
  const std::vector<std::pair<std::string, Index>> no_mask{{"causal", 0}, {"window", 0}, {"kv_dtype", 0}};
  const auto task = [](exercise::Task t) { return exercise::describe(std::move(t), mechanism(), mistakes()); };
  return {
      task({.name = "formula", .fixed = no_mask, .timed = "heads=2,queries=512,dim=64", .marks = {0.005, 0.02, 0.05}}),
      task(
          {.name = "one_pass", .fixed = no_mask, .timed = "heads=2,queries=512,dim=64", .marks = {0.005, 0.02, 0.08}}),
      task({.name = "parallel",
            .fixed = {{"kv_dtype", 0}},
            .timed = "heads=4,queries=512,dim=64,causal=1",
            .parallel = true,
            .marks = {0.005, 0.02, 0.08}}),
      task({.name = "tiled",
            .fixed = no_mask,
            .timed = "heads=4,queries=1024,dim=64",
            .parallel = true,
            .marks = {0.02, 0.06, 0.3}})};
}

}  // namespace attention::dot_product
