// What the exercises of this chapter ask for. The texts are in README.md.
#include "exercises/exercises.hpp"

#include "exercises/mistakes.hpp"

namespace attention::convolutional {

std::vector<exercise::Exercise> exercises() {
  using exercise::describe;
  return {
      describe({.name = "squeeze", .fixed = {}, .timed = "batch=8,channels=64,height=56", .marks = {0.02, 0.15, 0.5}},
               squeeze_excitation(), squeeze_excitation_mistakes()),
      describe({.name = "convolution",
                .fixed = {},
                .timed = "in_channels=16,out_channels=16,height=28",
                .marks = {0.005, 0.02, 0.2}},
               convolution(), convolution_mistakes()),
      describe({.name = "non_local", .fixed = {}, .timed = "channels=32,height=16", .marks = {0.004, 0.012, 0.05}},
               non_local(), non_local_mistakes()),
      describe({.name = "one_pass",
                .fixed = {},
                .timed = "channels=64,height=24",
                .parallel = true,
                .marks = {0.01, 0.03, 0.3}},
               non_local(), non_local_mistakes())};
}

}  // namespace attention::convolutional
