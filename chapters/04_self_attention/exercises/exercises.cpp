// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::self_attention {

std::vector<exercise::Exercise> exercises() {
  const auto task = [](exercise::Task t, Kind kind) {
    return exercise::describe(std::move(t), mechanism(kind), mistakes());
  };
  const std::vector<std::pair<std::string, Index>> no_positions{{"positions", static_cast<Index>(Positions::none)}};
  return {
      task({.name = "causal", .fixed = no_positions, .timed = "n=256,heads=2,dim=32", .marks = {0.005, 0.02, 0.06}},
           Kind::causal),
      task({.name = "window",
            .fixed = no_positions,
            .timed = "n=1024,heads=2,dim=32,window=64",
            .marks = {0.005, 0.02, 0.08}},
           Kind::window),
      task({.name = "rotary",
            .fixed = {{"positions", static_cast<Index>(Positions::rotary)}},
            .timed = "n=256,heads=2,dim=32,positions=2",
            .marks = {0.005, 0.02, 0.06}},
           Kind::causal),
      task({.name = "tiled",
            .fixed = no_positions,
            .timed = "n=512,heads=4,dim=64",
            .parallel = true,
            .marks = {0.03, 0.06, 0.4}},
           Kind::causal)};
}

}  // namespace attention::self_attention
