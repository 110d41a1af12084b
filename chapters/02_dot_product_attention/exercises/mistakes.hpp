#pragma once

#include <vector>

#include "dot_product.hpp"
#include "exercise/exercise.hpp"

namespace attention::dot_product {

/// What is often done wrong in this chapter, with the answer that comes of it.
std::vector<exercise::Mistake<Problem>> mistakes();

}  // namespace attention::dot_product
