// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::multi_head {

std::vector<exercise::Exercise> exercises() {
  const auto task = [](exercise::Task t, const MultiHead& m) {
    return exercise::describe(std::move(t), m, mistakes());
  };
  return {task({.name = "formula",
                .fixed = {{"causal", 0}},
                .timed = "n=128,width=128,key_heads=4,dim=32",
                .marks = {0.005, 0.02, 0.08}},
               mechanism()),
          task({.name = "grouped",
                .fixed = {},
                .timed = "n=256,width=256,key_heads=2,group=2,causal=1",
                .marks = {0.01, 0.03, 0.1}},
               grouped_mechanism()),
          task({.name = "parallel",
                .fixed = {},
                .timed = "n=256,width=256,key_heads=4,causal=1",
                .parallel = true,
                .marks = {0.01, 0.03, 0.1}},
               mechanism()),
          task({.name = "tiled",
                .fixed = {{"causal", 0}},
                .timed = "n=512,width=256,key_heads=4",
                .parallel = true,
                .marks = {0.03, 0.1, 0.4}},
               mechanism())};
}

}  // namespace attention::multi_head
