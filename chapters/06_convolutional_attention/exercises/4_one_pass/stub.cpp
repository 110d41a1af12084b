// Exercise 4, one_pass: the non-local block by the online softmax, its positions shared among the threads.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "non_local.hpp"

namespace attention::convolutional {

void my_one_pass(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, false);  // without out.weights
}

}  // namespace attention::convolutional
