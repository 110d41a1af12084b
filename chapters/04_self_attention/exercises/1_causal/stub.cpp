// Exercise 1, causal: project, and let each token look at itself and those before it; plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "self_attention.hpp"

namespace attention::self_attention {

void my_causal(const Problem& p, Output& out) {
  prepare(p, out, false);  // without out.weights
  // p.input is [batch, n, width]; the three weights are [width, heads, dim]. out.output_of(b, h, i) is one row;
  // out.lse_of(b, h)[i].
}

}  // namespace attention::self_attention
