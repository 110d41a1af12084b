#pragma once

#include <any>
#include <string_view>
#include <vector>

#include "exercise/exercise.hpp"

namespace attention::exercise {

/// The main of the program that holds a reader's rung: checks it, says what came of it, and puts a right one on the
/// ladder unless --no-place is given. Exit status: 0 right, 1 wrong, 2 something to put right first.
int check_main(int argc, char** argv, const std::vector<Exercise>& exercises, std::string_view name,
               const std::any& run);

/// The exercise called `name`. Throws UserError, listing the names, where there is none.
const Exercise& find_exercise(const std::vector<Exercise>& exercises, std::string_view name);

}  // namespace attention::exercise
