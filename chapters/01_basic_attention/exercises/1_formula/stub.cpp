// Exercise 1, formula: the equations of additive attention, as plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"

namespace attention::additive {

void my_formula(const Problem& p, Output& out) {
  prepare(p, out, true);  // gives out.output, out.lse and out.weights their sizes; what they hold is not set
  // Rows as in additive.hpp: p.query.data() + i * p.query_dim(), p.W.data() + h * p.query_dim(), out.weights.data() + i
  // * p.keys() …
}

}  // namespace attention::additive
