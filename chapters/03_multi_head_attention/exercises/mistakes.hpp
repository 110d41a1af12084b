#pragma once

#include <vector>

#include "exercise/exercise.hpp"
#include "multi_head.hpp"

namespace attention::multi_head {

/// What is often done wrong in this chapter, with the answer that comes of it.
std::vector<exercise::Mistake<Problem>> mistakes();

}  // namespace attention::multi_head
