#pragma once

#include <string>
#include <vector>

#include "residual_network.hpp"

namespace attention::convolutional {

/// What a network attended to in one picture, brought to the picture's size.
struct PlaceMap {
  std::string name;          ///< "cbam, block 1"
  std::vector<float> share;  ///< [side · side], each place's share, sum 1 (all 0 where nothing is attended to)
};

/// What a trained network says of one picture.
struct PictureReading {
  std::vector<float> probabilities;  ///< of each class, sum 1
  std::vector<PlaceMap> maps;        ///< of the place gates and of the pooling, where it has such; else Grad-CAM for the likeliest class
  std::size_t best() const;          ///< the likeliest class, the first of equals
};

/// Reads a picture [side, side], 0 to 1.
///
/// Grad-CAM (Selvaraju et al. 2017, equations 1 and 2): relu(Σ_k α_k A_k), with A_k the last map's channels and α_k the mean gradient of the
/// class's score with respect to A_k. Before a mean over the places and one matrix it is CAM (Zhou et al. 2016): α_k is the class's weight.
PictureReading read_picture(ResidualNetwork<float>& network, const std::vector<float>& picture, Index side);

/// The mean over the places of a network's last map: a picture [side, side] as so many numbers.
std::vector<float> picture_features(const ResidualNetwork<float>& network, const std::vector<float>& picture, Index side);

/// Each number of a [rows, rows] map repeated to [side, side], as shares of the sum.
std::vector<float> enlarged(const float* map, Index rows, Index side);

}  // namespace attention::convolutional
