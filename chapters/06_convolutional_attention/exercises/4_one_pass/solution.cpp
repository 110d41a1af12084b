// Exercise 4, one_pass: the non-local block by the online softmax, its positions shared among the threads.
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

void my_one_pass(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, false);
  const Index n = p.positions();
  const Index inner = p.inner();
  constexpr Index tile = 32;
  for (Index b = 0; b < p.batch(); ++b) {
    const std::vector<float> theta = embed(p, b, p.theta);
    const std::vector<float> phi = embed(p, b, p.phi);
    const std::vector<float> g = embed(p, b, p.g);
#pragma omp parallel for
    for (Index i = 0; i < n; ++i) {
      std::vector<float> y(static_cast<std::size_t>(inner));
      float m_i = -std::numeric_limits<float>::infinity();  // the maximum so far
      float l_i = 0;                                        // the sum of exp(score − m_i) so far
      for (Index first = 0; first < n; first += tile) {
        const Index count = std::min(tile, n - first);
        float scores[tile];
        float m_new = m_i;
        for (Index j = 0; j < count; ++j) {
          float score = 0;
#pragma omp simd reduction(+ : score)
          for (Index e = 0; e < inner; ++e)
            score +=
                theta[static_cast<std::size_t>(i * inner + e)] * phi[static_cast<std::size_t>((first + j) * inner + e)];
          scores[j] = score;
          m_new = std::max(m_new, score);
        }
        const float correction = std::exp(m_i - m_new);
        l_i *= correction;
        for (float& mean : y) mean *= correction;
        m_i = m_new;
        for (Index j = 0; j < count; ++j) {
          const float weight = std::exp(scores[j] - m_i);
          l_i += weight;
          for (Index e = 0; e < inner; ++e)
            y[static_cast<std::size_t>(e)] += weight * g[static_cast<std::size_t>((first + j) * inner + e)];
        }
      }
      for (float& mean : y) mean /= l_i;
      add_back(p, b, i, y, out);
    }
  }
}

}  // namespace attention::convolutional
