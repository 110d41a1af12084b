#pragma once

#include <vector>

#include "exercise/exercise.hpp"
#include "multi_head.hpp"

namespace attention::multi_head {

// What the reader writes, one function an exercise.
void my_formula(const Problem& p, Output& out);
void my_grouped(const Problem& p, Output& out);
void my_parallel(const Problem& p, Output& out);
void my_tiled(const Problem& p, Output& out);

std::vector<exercise::Exercise> exercises();

}  // namespace attention::multi_head
