#include "answers.hpp"

#include <algorithm>
#include <iterator>

namespace attention::tests {

std::vector<ExerciseAnswer>& exercise_answers() {
  static std::vector<ExerciseAnswer> all;
  return all;
}

bool add_answers(std::vector<ExerciseAnswer> answers) {
  std::ranges::move(answers, std::back_inserter(exercise_answers()));
  return true;
}

}  // namespace attention::tests
