#pragma once

#include <vector>

#include "exercise/exercise.hpp"
#include "self_attention.hpp"

namespace attention::self_attention {

/// What is often done wrong in this chapter, with the answer that comes of it.
std::vector<exercise::Mistake<Problem>> mistakes();

}  // namespace attention::self_attention
