#pragma once

#include <vector>

#include "additive.hpp"
#include "exercise/exercise.hpp"

namespace attention::additive {

// What the reader writes, one function an exercise.
void my_formula(const Problem& p, Output& out);
void my_hoisted(const Problem& p, Output& out);
void my_parallel(const Problem& p, Output& out);
void my_one_pass(const Problem& p, Output& out);

std::vector<exercise::Exercise> exercises();

}  // namespace attention::additive
