#pragma once

#include <vector>

#include "exercise/exercise.hpp"
#include "self_attention.hpp"

namespace attention::self_attention {

// What the reader writes, one function an exercise.
void my_causal(const Problem& p, Output& out);
void my_window(const Problem& p, Output& out);
void my_rotary(const Problem& p, Output& out);
void my_tiled(const Problem& p, Output& out);

std::vector<exercise::Exercise> exercises();

}  // namespace attention::self_attention
