#pragma once

#include <vector>

#include "additive.hpp"
#include "exercise/exercise.hpp"

namespace attention::additive {

/// What is often done wrong in this chapter, with the answer that comes of it.
std::vector<exercise::Mistake<Problem>> mistakes();

}  // namespace attention::additive
