#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::convolutional {

using tensor::Index;

/// Temporal attention of a clip on itself: w_ts = softmax over s of −|f_t − f_s|² / (2 τ), with τ `temperature` times the median of |f_t − f_s|² over
/// all pairs: how well frame s could stand for frame t. `features` is [frames, dim]; the result [frames, frames]. A clip that is the same everywhere has
/// equal weights.
tensor::Tensor<2> frame_attention(const tensor::Tensor<2>& features, float temperature = 0.1F);

/// `count` frames that between them are looked at best: greedily, each next frame adds most to Σ_t max over the picked s of w_ts (the facility location of
/// video summaries: Gygli, Grabner and Van Gool 2015, section 3.1, with attention for similarity). In the order of time.
std::vector<Index> pick_by_attention(const tensor::Tensor<2>& weights, Index count);

/// `count` frames at equal distances: the middles of as many equal parts.
std::vector<Index> pick_uniformly(Index frames, Index count);

/// Where a clip falls in two: the first frame of the second part, so chosen that the frames of each part look least at the other's (the normalised cut of
/// Shi and Malik 2000, equation 2, over the cuts in time). Each part has at least two frames; 0 where the clip has fewer than four.
Index find_change(const tensor::Tensor<2>& weights);

/// Mean over the frames of the distance |f_t − f_s| to the nearest picked frame: what the pick loses.
double loss_of_pick(const tensor::Tensor<2>& features, const std::vector<Index>& picked);

/// Means over squares of `side` × `side` pixels, one after the other: a frame [height, width] as numbers. What does not fill a square is left out.
std::vector<float> small_pixels(const float* frame, Index height, Index width, Index side);

/// A clip of still scenes, each a picture that trembles and is noisy, for as many frames as chance will; which scene each frame shows is known.
struct SyntheticClip {
  tensor::Tensor<3> frames;   ///< [frames, height, width]
  std::vector<Index> scene;   ///< of each frame, from 0
  Index scenes = 0;
};
/// `pictures` is [scenes, height, width]; the scenes' lengths add up to `frames`, each is at least 1.
SyntheticClip synthetic_clip(const tensor::Tensor<3>& pictures, Index frames, std::uint64_t seed);

/// Share of a clip's scenes that the picked frames show.
double scenes_shown(const SyntheticClip& clip, const std::vector<Index>& picked);

}  // namespace attention::convolutional
