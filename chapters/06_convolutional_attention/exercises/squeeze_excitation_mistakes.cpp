#include <algorithm>
#include <cmath>

#include "exercises/mistakes.hpp"

namespace attention::convolutional {

namespace {

using exercise::Arrays;
using Numbers = std::vector<double>;

enum class Fault {
  sum_for_mean,
  maximum_for_mean,
  mean_over_channels,
  no_relu,
  no_sigmoid,
  no_bias,
  no_reduce_bias,
  gate_added,
  first_image,
  transposed
};

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// z of one image: what stands for its maps.
Numbers squeeze(const SqueezeExcitationProblem& p, Index b, Fault fault) {
  Numbers z;
  for (Index c = 0; c < p.channels(); ++c) {
    double sum = 0;
    double largest = -INFINITY;
    for (Index i = 0; i < p.places(); ++i) {
      // Over the channels: the numbers as if the channels lay innermost.
      const double x = static_cast<double>(fault == Fault::mean_over_channels ? p.image_of(b)[i * p.channels() + c]
                                                                              : p.map_of(b, c)[i]);
      sum += x;
      largest = std::max(largest, x);
    }
    z.push_back(fault == Fault::maximum_for_mean ? largest
                : fault == Fault::sum_for_mean   ? sum
                                                 : sum / static_cast<double>(p.places()));
  }
  return z;
}

/// weight · x + bias
Numbers layer(const Tensor<2>& weight, const Tensor<1>& bias, const Numbers& x, bool with_bias, bool transposed) {
  const Index rows = tensor::extent(weight, 0);
  const Index columns = tensor::extent(weight, 1);
  Numbers y;
  for (Index r = 0; r < rows; ++r) {
    double sum = with_bias ? static_cast<double>(bias.data()[r]) : 0;
    for (Index c = 0; c < columns; ++c)
      sum += static_cast<double>(weight.data()[transposed ? c * rows + r : r * columns + c]) * x[at(c)];
    y.push_back(sum);
  }
  return y;
}

Arrays answer(const SqueezeExcitationProblem& p, Fault fault) {
  Arrays all(2);
  for (Index b = 0; b < p.batch(); ++b) {
    const bool transposed = fault == Fault::transposed;
    const Numbers z = squeeze(p, fault == Fault::first_image ? 0 : b, fault);
    Numbers unit =
        layer(p.reduce_weight, p.reduce_bias, z, fault != Fault::no_bias && fault != Fault::no_reduce_bias, transposed);
    if (fault != Fault::no_relu)
      for (double& u : unit) u = relu(u);
    Numbers gate = layer(p.expand_weight, p.expand_bias, unit, fault != Fault::no_bias, transposed);
    if (fault != Fault::no_sigmoid)
      for (double& g : gate) g = sigmoid(g);
    for (Index c = 0; c < p.channels(); ++c)
      for (Index i = 0; i < p.places(); ++i) {
        const auto x = static_cast<double>(p.map_of(b, c)[i]);
        all[0].push_back(fault == Fault::gate_added ? x + gate[at(c)] : x * gate[at(c)]);
      }
    all[1].insert(all[1].end(), gate.begin(), gate.end());
  }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<SqueezeExcitationProblem>> squeeze_excitation_mistakes() {
  const auto mistake = [](const char* name, const char* meaning, Fault fault) {
    return exercise::Mistake<SqueezeExcitationProblem>{
        name, meaning, [fault](const SqueezeExcitationProblem& p) { return answer(p, fault); }};
  };
  return {
      mistake("sum_for_mean", "The maps are summed, not averaged: divide by height · width.", Fault::sum_for_mean),
      mistake("maximum_for_mean", "The maximum of a map stands where its mean is asked for.", Fault::maximum_for_mean),
      mistake("wrong_axis",
              "The mean runs over the wrong axis: the maps lie one after the other, each of height · width places.",
              Fault::mean_over_channels),
      mistake("no_relu", "max(0, ·) between the two matrices is left out.", Fault::no_relu),
      mistake("no_sigmoid", "The sigmoid is left out: a gate must lie between 0 and 1.", Fault::no_sigmoid),
      mistake("no_bias", "The biases are left out.", Fault::no_bias),
      mistake("no_bias", "The bias of the first matrix is left out.", Fault::no_reduce_bias),
      mistake("gate_added", "The gate is added to the map: it multiplies it.", Fault::gate_added),
      mistake("wrong_image", "All images get the gates of the first.", Fault::first_image),
      mistake("transposed_weights",
              "The weights are read as their transposes: reduce_weight is [hidden, channels], expand_weight [channels, "
              "hidden].",
              Fault::transposed)};
}

}  // namespace attention::convolutional
