#pragma once

#include <cstdint>
#include <vector>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"

namespace attention::dot_product {

/// The mean of the images `first` … `first + count` − 1: 784 pixels from 0 to 1.
std::vector<float> mean_image(const datasets::ImageSet& set, Index first, Index count);

/// Images as rows: [1, 1, count, 784]. `mean` is taken off where features are centred.
Tensor<4> image_rows(const datasets::ImageSet& set, Index first, Index count, Features features,
                     const std::vector<float>& mean);

/// Classes as one-hot rows: [1, 1, count, 10].
Tensor<4> class_rows(const datasets::ImageSet& set, Index first, Index count);

/// Share of the rows of `output` [1, 1, count, 10] whose largest entry is the class of image first + row.
double accuracy(const Tensor<4>& output, const datasets::ImageSet& set, Index first);

/// The look-up of all test images in all training images.
Problem test_problem(const datasets::FashionMnist& data, const LookUp& look_up);

inline Index count_of(const datasets::ImageSet& set) { return tensor::extent(set.images, 0); }

}  // namespace attention::dot_product
