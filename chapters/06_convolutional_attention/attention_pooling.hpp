#pragma once

#include "feature_maps.hpp"

namespace attention::convolutional {

/// Attention pooling of a feature map: one vector for an image, the weighted mean of its places. A place's weight is the softmax,
/// over the places, of its score with one learned vector w. For each image with features x_p at its places p:
///
///     e_p = w · x_p                          score
///     a_p = exp(e_p) / Σ_q exp(e_q)          softmax over the places
///     y   = Σ_p a_p x_p                      output
///
/// The "context vector" pooling of Yang et al. 2016, Hierarchical Attention Networks, equations 6 and 7, without its hidden layer;
/// also the context modelling of Cao et al. 2019, GCNet, equation 4. w = 0 gives the mean over the places: global average pooling.
struct AttentionPoolingProblem : FeatureMaps {
  Tensor<1> weight;  ///< w: [channels]
};

template <class Real>
struct AttentionPoolingOutputOf {
  TensorOf<Real, 2> output;   ///< y: [batch, channels]
  TensorOf<Real, 3> weights;  ///< a: [batch, height, width]

  Real* output_of(Index b) { return output.data() + b * tensor::extent(output, 1); }
  Real* weights_of(Index b) { return weights.data() + b * tensor::extent(weights, 1) * tensor::extent(weights, 2); }
};
using AttentionPoolingOutput = AttentionPoolingOutputOf<float>;

/// The formula in float64, and how large its sums became on their way.
struct AttentionPoolingReference : AttentionPoolingOutputOf<double> {
  double score_sums = 0;     ///< largest |partial sum| of a score
  double scores = 0;         ///< largest |e_p| from the largest of its image
  double concentration = 0;  ///< largest sqrt(Σ_p a_p²) of an image
  double output_sums = 0;    ///< largest |partial sum| of an output
};

/// The sizes of the output for `problem`. Storage that fits already is kept.
void prepare(const AttentionPoolingProblem& problem, AttentionPoolingOutput& output);

/// The oracle: the formula in float64, plain loops, in parallel over the images.
AttentionPoolingReference reference(const AttentionPoolingProblem& problem);

/// make_maps, with a normal w of variance 1/channels.
AttentionPoolingProblem make_attention_pooling(const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness);

/// The same w, only these images.
AttentionPoolingProblem take_images(const AttentionPoolingProblem& problem, std::span<const Index> images);

/// Two multiply-adds a place of a map; an exponential a place. The maps are read once: a pass that scores and sums together needs
/// no second one.
ladder::Cost cost(const AttentionPoolingProblem& problem);

/// The mechanism with its ladder.
using AttentionPooling = ladder::Mechanism<AttentionPoolingProblem, AttentionPoolingOutput, AttentionPoolingReference>;
const AttentionPooling& attention_pooling();
ladder::MechanismPtr attention_pooling_mechanism();

}  // namespace attention::convolutional
