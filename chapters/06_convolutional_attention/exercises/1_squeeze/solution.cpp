// Exercise 1, squeeze: squeeze-and-excitation, one factor for every channel; one thread.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "squeeze_excitation.hpp"

namespace attention::convolutional {

void my_squeeze(const SqueezeExcitationProblem& p, GatedMaps& out) {
  prepare(p, out);
  std::vector<float> mean(static_cast<std::size_t>(p.channels()));
  std::vector<float> unit(static_cast<std::size_t>(p.hidden()));
  for (Index b = 0; b < p.batch(); ++b) {
    for (Index c = 0; c < p.channels(); ++c) {
      float sum = 0;
      for (Index i = 0; i < p.places(); ++i) sum += p.map_of(b, c)[i];
      mean[static_cast<std::size_t>(c)] = sum / static_cast<float>(p.places());
    }
    for (Index j = 0; j < p.hidden(); ++j) {
      float sum = p.reduce_bias.data()[j];
      for (Index c = 0; c < p.channels(); ++c)
        sum += p.reduce_weight.data()[j * p.channels() + c] * mean[static_cast<std::size_t>(c)];
      unit[static_cast<std::size_t>(j)] = relu(sum);
    }
    for (Index c = 0; c < p.channels(); ++c) {
      float sum = p.expand_bias.data()[c];
      for (Index j = 0; j < p.hidden(); ++j)
        sum += p.expand_weight.data()[c * p.hidden() + j] * unit[static_cast<std::size_t>(j)];
      const float gate = sigmoid(sum);
      out.gate_of(b)[c] = gate;
      for (Index i = 0; i < p.places(); ++i) out.map_of(b, c)[i] = gate * p.map_of(b, c)[i];
    }
  }
}

}  // namespace attention::convolutional
