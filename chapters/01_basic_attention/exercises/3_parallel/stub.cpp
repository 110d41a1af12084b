// Exercise 3, parallel: the rows of exercise 2, shared among the threads; no weights are stored.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

void my_parallel(const Problem& p, Output& out) { prepare(p, out, false); }

}  // namespace attention::additive
