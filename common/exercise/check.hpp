#pragma once

#include <any>
#include <functional>
#include <string>
#include <string_view>

#include "exercise/exercise.hpp"

namespace attention::exercise {

/// What came of a check.
struct Verdict {
  bool passed = false;
  std::string name;          ///< of the mistake; empty where none that is known fits
  std::string seen;          ///< where it shows: the smallest problem, the place, what was given and what is right
  std::string reason;        ///< what the mistake is, and why it is believed to be this one
  std::string note;          ///< of a right rung: what is still worth knowing
  std::size_t problems = 0;  ///< tried
  std::size_t failed = 0;
};

/// How much is tried.
struct Effort {
  double most_flops = 2e6;  ///< of one problem: some hold more keys than a usual tile
  int race_runs = 30;       ///< with several threads on one problem, to see whether the answers stay the same
  bool few = false;         ///< a tenth of the problems, for a rung that a sanitizer slows down
};

/// Runs the reader's rung on awkward sizes and hard values, with 1, 2 and 3 threads where it should be parallel, and
/// says which mistake it has: the answer is held against what each known mistake gives, and against what can be read
/// off the answer itself (places that were never written, answers that differ from run to run). `doing` is told the
/// problem on which the rung is about to run.
Verdict check(const Exercise& exercise, const std::any& run, const Effort& effort,
              const std::function<void(std::string_view)>& doing);

}  // namespace attention::exercise
