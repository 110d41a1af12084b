#include <cmath>

#include "exercise/attention_mistakes.hpp"
#include "exercises/mistakes.hpp"

namespace attention::convolutional {

namespace {

using exercise::Arrays;
using Matrix = std::vector<double>;

struct Fault {
  bool scaled = false;
  bool no_residual = false;
  bool exchanged = false;  ///< θ for φ and φ for θ
  bool transposed_weights = false;
  bool transposed_output_weight = false;
};

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// weight · x: [positions × inner].
Matrix embed(const NonLocalProblem& p, Index b, const Tensor<2>& weight, bool transposed) {
  Matrix all(at(p.positions() * p.inner()));
  for (Index i = 0; i < p.positions(); ++i)
    for (Index e = 0; e < p.inner(); ++e)
      for (Index c = 0; c < p.channels(); ++c)
        all[at(i * p.inner() + e)] +=
            static_cast<double>(weight.data()[transposed ? c * p.inner() + e : e * p.channels() + c]) *
            static_cast<double>(p.image_of(b)[c * p.positions() + i]);
  return all;
}

Arrays answer(const NonLocalProblem& p, const Fault& fault, exercise::SoftmaxFault softmax) {
  const Index n = p.positions();
  const Index inner = p.inner();
  Arrays all(2);
  for (Index b = 0; b < p.batch(); ++b) {
    const Matrix theta = embed(p, b, fault.exchanged ? p.phi : p.theta, fault.transposed_weights);
    const Matrix phi = embed(p, b, fault.exchanged ? p.theta : p.phi, fault.transposed_weights);
    Matrix scores;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) {
        double score = 0;
        for (Index e = 0; e < inner; ++e) score += theta[at(i * inner + e)] * phi[at(j * inner + e)];
        scores.push_back(fault.scaled ? score / std::sqrt(static_cast<double>(inner)) : score);
      }
    const exercise::Attended y =
        exercise::attend(scores, embed(p, b, p.g, fault.transposed_weights), n, n, inner, softmax);
    for (Index c = 0; c < p.channels(); ++c)
      for (Index i = 0; i < n; ++i) {
        double z = fault.no_residual ? 0 : static_cast<double>(p.image_of(b)[c * n + i]);
        for (Index e = 0; e < inner && z != exercise::unknown; ++e) {
          const double mean = y.output[at(i * inner + e)];
          z = mean == exercise::unknown
                  ? mean
                  : z + mean * static_cast<double>(
                                   p.out_weight
                                       .data()[fault.transposed_output_weight ? e * p.channels() + c : c * inner + e]);
        }
        all[0].push_back(z);
      }
    exercise::append(all[1], y.weights);
  }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<NonLocalProblem>> non_local_mistakes() {
  return exercise::attention_mistakes<NonLocalProblem, Fault>(
      {{"wrong_scale", "The scores are divided by sqrt(inner): the embedded Gaussian has no scale.", {.scaled = true}},
       {"no_residual", "x is not added: z = W_z y + x.", {.no_residual = true}},
       {"theta_for_phi", "θ and φ are exchanged: θ belongs to the position that looks.", {.exchanged = true}},
       {"transposed_weights",
        "θ, φ and g are read as their transposes: they are [inner, channels].",
        {.transposed_weights = true}},
       {"transposed_output_weight",
        "W_z is read as its transpose: it is [channels, inner].",
        {.transposed_output_weight = true}}},
      answer);
}

}  // namespace attention::convolutional
