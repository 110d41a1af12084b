// Exercise 3, rotary: queries and keys are rotated by their positions before they meet.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "self_attention.hpp"

namespace attention::self_attention {

void my_rotary(const Problem& p, Output& out) {
  prepare(p, out, false);  // without out.weights
  // rotary_angle(position, pair, dim) is the angle of the pair (2·pair, 2·pair + 1); positions count from
  // p.first_position.
}

}  // namespace attention::self_attention
