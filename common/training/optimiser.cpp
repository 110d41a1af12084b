#include "training/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace attention::training {

using tensor::Index;

namespace {

Gradients zeros(const ParameterList<float>& parameters) {
  Gradients all;
  for (const auto& p : parameters) all.push_back(tensor::filled_array<float>(tensor::shape_of(p.parameter->value), 0));
  return all;
}

}  // namespace

Gradients sum_of(std::span<const std::unique_ptr<Tape<float>>> tapes, const ParameterList<float>& parameters) {
  Gradients sums = zeros(parameters);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    std::vector<const float*> parts;
    for (const auto& tape : tapes)
      if (const ArrayOf<float>* part = tape->gradient(*parameters[k].parameter)) parts.push_back(part->data());
    float* to = sums[k].data();
    const Index n = static_cast<Index>(sums[k].size());
#pragma omp parallel for schedule(static) if (n > 4096)
    for (Index i = 0; i < n; ++i) {
      float sum = 0;
      for (const float* part : parts) sum += part[i];
      to[i] = sum;
    }
  }
  return sums;
}

double clip_norm(Gradients& gradients, double most) {
  double sum = 0;
  for (const ArrayOf<float>& gradient : gradients) {
    // Blocks of a fixed length, added in their order: the same sum with any number of threads.
    constexpr Index block = 4096;
    const Index n = static_cast<Index>(gradient.size());
    std::vector<double> of_block(static_cast<std::size_t>((n + block - 1) / block), 0);
#pragma omp parallel for schedule(static) if (n > block)
    for (Index b = 0; b < std::ssize(of_block); ++b)
      for (Index i = b * block; i < std::min(n, (b + 1) * block); ++i) {
        const auto g = static_cast<double>(gradient.data()[i]);
        of_block[static_cast<std::size_t>(b)] += g * g;
      }
    for (const double s : of_block) sum += s;
  }
  const double length = std::sqrt(sum);
  if (length > most) {
    const auto factor = static_cast<float>(most / length);
    for (ArrayOf<float>& gradient : gradients)
      for (float& g : gradient) g *= factor;
  }
  return length;
}

Adam::Adam(ParameterList<float> parameters, AdamSettings settings)
    : parameters_(std::move(parameters)), settings_(settings), first_(zeros(parameters_)), second_(zeros(parameters_)) {}

void Adam::step(const Gradients& gradients, double rate) {
  ++steps_;
  const auto count = static_cast<double>(steps_);
  // Both means begin at 0; these factors make up for it.
  const double first_factor = 1 / (1 - std::pow(settings_.beta1, count));
  const double second_factor = 1 / (1 - std::pow(settings_.beta2, count));
  const auto beta1 = static_cast<float>(settings_.beta1), beta2 = static_cast<float>(settings_.beta2);
  const auto step = static_cast<float>(rate * first_factor), correction = static_cast<float>(second_factor);
  const auto epsilon = static_cast<float>(settings_.epsilon);
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    ArrayOf<float>& weights = parameters_[k].parameter->value;
    const float keep = weights.dimension() > 1 ? static_cast<float>(1 - rate * settings_.weight_decay) : 1.F;
    float* w = weights.data();
    float* m = first_[k].data();
    float* v = second_[k].data();
    const float* g = gradients[k].data();
    const Index n = static_cast<Index>(weights.size());
#pragma omp parallel for simd schedule(static) if (parallel : n > 4096)
    for (Index i = 0; i < n; ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      w[i] = keep * w[i] - step * m[i] / (std::sqrt(correction * v[i]) + epsilon);
    }
  }
}

double cosine_rate(std::int64_t step, std::int64_t steps, double peak, std::int64_t warm_up) {
  if (step < warm_up) return peak * static_cast<double>(step + 1) / static_cast<double>(warm_up);
  const double share = static_cast<double>(step - warm_up) / static_cast<double>(std::max<std::int64_t>(1, steps - warm_up));
  return peak * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, share)));
}

}  // namespace attention::training
