// Exercise 4, tiled: causal attention by tiles with the online softmax; tiles that nobody sees are skipped.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "self_attention.hpp"

namespace attention::self_attention {

void my_tiled(const Problem& p, Output& out) {
  prepare(p, out, false);  // without out.weights
}

}  // namespace attention::self_attention
