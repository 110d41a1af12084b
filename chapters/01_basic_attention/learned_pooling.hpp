#pragma once

#include "autograd/layers.hpp"
#include "training/sitting.hpp"
#include "weeks.hpp"

/// Additive attention that learns which weeks to look at: W, U and v by gradient descent on the error of weeks that are hidden from
/// it, as the weeks of the test are.
namespace attention::additive {

/// The scoring network, its parameters as rows of the features: score = vᵀ tanh(Wᵀ q + Uᵀ k).
template <class Real>
struct PoolingNet {
  autograd::Parameter<Real> W, U;  ///< [features, hidden]
  autograd::Parameter<Real> v;     ///< [hidden]

  explicit PoolingNet(std::uint64_t seed);
  autograd::ParameterList<Real> parameters();

  /// The values that attention fills in: query [b, features], key [n, features], value [n, 1], seen [b, n] to [b, 1].
  autograd::Variable<Real> operator()(const autograd::Variable<Real>& query, const autograd::Variable<Real>& key, const autograd::Variable<Real>& value,
                                      const tensor::ArrayOf<std::uint8_t>& seen) const;

  /// As the ladder takes them: W and U [hidden, features].
  void set(Problem& problem) const;
};

/// What decides the weights besides the seed; a weights file of another one is refused.
Json pooling_configuration(const datasets::WeeklySeries& series);

/// The training for ./course train 01. The loss is the mean squared error, in ppm², of 64 known weeks a step, each of which may look at all
/// known weeks but those of its own block of 13: what a week of the test may look at.
training::Training pooling_training();

/// The trained net. `file` as training::WeightFolders gives it. Throws UserError where it is damaged or of other data.
PoolingNet<float> load_pooling(const std::filesystem::path& file, const datasets::WeeklySeries& series);

extern template struct PoolingNet<float>;
extern template struct PoolingNet<double>;

}  // namespace attention::additive
