// Exercise 4, one_pass: the online softmax by tiles of keys; neither scores nor weights of a row are stored.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

void my_one_pass(const Problem& p, Output& out) { prepare(p, out, false); }

}  // namespace attention::additive
