#pragma once

#include <any>
#include <string>
#include <vector>

#include "exercise/exercise.hpp"

namespace attention::tests {

/// A stub, a solution, or a solution with a mistake.
struct ExerciseAnswer {
  std::string chapter;
  std::string exercise;
  std::string kind;  ///< stub, solution, or the name of the mistake
  std::vector<exercise::Exercise> (*exercises)() = nullptr;
  std::any run;
};

/// All that were compiled in.
std::vector<ExerciseAnswer>& exercise_answers();
/// For the table of each chapter, which adds itself before main.
bool add_answers(std::vector<ExerciseAnswer> answers);

}  // namespace attention::tests
