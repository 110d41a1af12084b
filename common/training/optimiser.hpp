#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "autograd/layers.hpp"

namespace attention::training {

using autograd::ParameterList;
using autograd::Tape;
using tensor::ArrayOf;

/// One array for each parameter of a list, in its order.
using Gradients = std::vector<ArrayOf<float>>;

/// The sum of the tapes' gradients, tape after tape: the order, and so the result to the last bit, does not depend on threads. A
/// parameter that no tape has used has gradient 0.
Gradients sum_of(std::span<const std::unique_ptr<Tape<float>>> tapes, const ParameterList<float>& parameters);

/// Scales all gradients together so that their length is at most `most` (Pascanu, Mikolov, Bengio 2013, algorithm 1). Gives the length that
/// they had.
double clip_norm(Gradients& gradients, double most);

struct AdamSettings {
  double beta1 = 0.9;    ///< how much of the mean gradient is kept at each step
  double beta2 = 0.999;  ///< how much of the mean squared gradient
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< apart from the gradient (AdamW: Loshchilov and Hutter 2019, algorithm 2); matrices only, not biases
};

/// Adam (Kingma and Ba 2015, algorithm 1).
class Adam {
 public:
  Adam(ParameterList<float> parameters, AdamSettings settings);
  /// One step with learning rate `rate`.
  void step(const Gradients& gradients, double rate);

  /// What a checkpoint must bring back beside the weights: both means, and the number of steps taken.
  Gradients& first_moments() { return first_; }
  Gradients& second_moments() { return second_; }
  void set_steps(std::int64_t steps) { steps_ = steps; }

 private:
  ParameterList<float> parameters_;
  AdamSettings settings_;
  Gradients first_, second_;
  std::int64_t steps_ = 0;
};

/// Learning rates: rising linearly over `warm_up` steps, then falling to 0 along half a cosine until `steps` (Loshchilov and Hutter
/// 2017, equation 5, without restarts).
double cosine_rate(std::int64_t step, std::int64_t steps, double peak, std::int64_t warm_up);

}  // namespace attention::training
