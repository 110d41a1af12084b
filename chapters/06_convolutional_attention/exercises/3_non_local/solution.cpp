// Exercise 3, non_local: every position looks at all others; plain loops, one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "non_local.hpp"

namespace attention::convolutional {

namespace {

/// weight · x of one image: [positions × inner].
std::vector<float> embed(const NonLocalProblem& p, Index b, const Tensor<2>& weight) {
  std::vector<float> all(static_cast<std::size_t>(p.positions() * p.inner()));
  for (Index e = 0; e < p.inner(); ++e)
    for (Index c = 0; c < p.channels(); ++c)
      for (Index i = 0; i < p.positions(); ++i)
        all[static_cast<std::size_t>(i * p.inner() + e)] +=
            weight.data()[e * p.channels() + c] * p.image_of(b)[c * p.positions() + i];
  return all;
}

/// z = W_z y + x at position i.
void add_back(const NonLocalProblem& p, Index b, Index i, const std::vector<float>& y, NonLocalOutput& out) {
  const Index n = p.positions();
  for (Index c = 0; c < p.channels(); ++c) {
    float z = 0;
    for (Index e = 0; e < p.inner(); ++e) z += p.out_weight.data()[c * p.inner() + e] * y[static_cast<std::size_t>(e)];
    out.output.data()[(b * p.channels() + c) * n + i] = z + p.image_of(b)[c * n + i];
  }
}

}  // namespace

void my_non_local(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, true);
  const Index n = p.positions();
  for (Index b = 0; b < p.batch(); ++b) {
    const std::vector<float> theta = embed(p, b, p.theta);
    const std::vector<float> phi = embed(p, b, p.phi);
    const std::vector<float> g = embed(p, b, p.g);
    for (Index i = 0; i < n; ++i) {
      float* weights = out.weights.data() + (b * n + i) * n;
      float largest = -std::numeric_limits<float>::infinity();
      for (Index j = 0; j < n; ++j) {
        float score = 0;
        for (Index e = 0; e < p.inner(); ++e)
          score +=
              theta[static_cast<std::size_t>(i * p.inner() + e)] * phi[static_cast<std::size_t>(j * p.inner() + e)];
        weights[j] = score;
        largest = std::max(largest, score);
      }
      float total = 0;
      for (Index j = 0; j < n; ++j) {
        weights[j] = std::exp(weights[j] - largest);
        total += weights[j];
      }
      std::vector<float> y(static_cast<std::size_t>(p.inner()));
      for (Index j = 0; j < n; ++j) {
        weights[j] /= total;
        for (Index e = 0; e < p.inner(); ++e)
          y[static_cast<std::size_t>(e)] += weights[j] * g[static_cast<std::size_t>(j * p.inner() + e)];
      }
      add_back(p, b, i, y, out);
    }
  }
}

}  // namespace attention::convolutional
