#pragma once

#include <vector>

#include "dot_product.hpp"
#include "exercise/exercise.hpp"

namespace attention::dot_product {

// What the reader writes, one function an exercise.
void my_formula(const Problem& p, Output& out);
void my_one_pass(const Problem& p, Output& out);
void my_parallel(const Problem& p, Output& out);
void my_tiled(const Problem& p, Output& out);

std::vector<exercise::Exercise> exercises();

}  // namespace attention::dot_product
