#include "experiments/images.hpp"

#include <algorithm>
#include <cmath>

namespace attention::dot_product {

namespace {

Index pixels_of(const datasets::ImageSet& set) { return tensor::extent(set.images, 1) * tensor::extent(set.images, 2); }

}  // namespace

const char* features_name(Features features) {
  switch (features) {
    case Features::raw:
      return "raw pixels";
    case Features::unit:
      return "unit vectors";
    case Features::centred:
      return "centred unit vectors";
  }
  return "";
}

std::vector<float> mean_image(const datasets::ImageSet& set, Index first, Index count) {
  const Index pixels = pixels_of(set);
  std::vector<double> sum(static_cast<std::size_t>(pixels));
  for (Index i = first; i < first + count; ++i)
    for (Index c = 0; c < pixels; ++c) sum[static_cast<std::size_t>(c)] += set.images.data()[i * pixels + c];
  std::vector<float> mean(sum.size());
  std::ranges::transform(sum, mean.begin(), [&](double s) { return static_cast<float>(s / 255 / static_cast<double>(count)); });
  return mean;
}

Tensor<4> image_rows(const datasets::ImageSet& set, Index first, Index count, Features features,
                     const std::vector<float>& mean) {
  const Index pixels = pixels_of(set);
  auto rows = tensor::empty<4>({1, 1, static_cast<std::size_t>(count), static_cast<std::size_t>(pixels)});
#pragma omp parallel for
  for (Index i = 0; i < count; ++i) {
    const std::uint8_t* image = set.images.data() + (first + i) * pixels;
    float* row = rows.data() + i * pixels;
    double squares = 0;
    for (Index c = 0; c < pixels; ++c) {
      row[c] = static_cast<float>(image[c]) / 255 - (features == Features::centred ? mean[static_cast<std::size_t>(c)] : 0);
      squares += static_cast<double>(row[c]) * static_cast<double>(row[c]);
    }
    if (features == Features::raw || squares == 0) continue;
    const auto length = static_cast<float>(std::sqrt(squares));
    for (Index c = 0; c < pixels; ++c) row[c] /= length;
  }
  return rows;
}

Tensor<4> class_rows(const datasets::ImageSet& set, Index first, Index count) {
  auto rows = tensor::empty<4>({1, 1, static_cast<std::size_t>(count), 10});
  rows.fill(0);
  for (Index i = 0; i < count; ++i) rows.data()[i * 10 + set.labels.data()[first + i]] = 1;
  return rows;
}

double accuracy(const Tensor<4>& output, const datasets::ImageSet& set, Index first) {
  const Index count = tensor::extent(output, 2);
  Index right = 0;
  for (Index i = 0; i < count; ++i) {
    const float* row = output.data() + i * 10;
    right += std::max_element(row, row + 10) - row == set.labels.data()[first + i];
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

Problem test_problem(const datasets::FashionMnist& data, const LookUp& look_up) {
  const std::vector<float> mean = mean_image(data.train, 0, count_of(data.train));
  return {.query = image_rows(data.test, 0, count_of(data.test), look_up.features, mean),
          .key = image_rows(data.train, 0, count_of(data.train), look_up.features, mean),
          .value = class_rows(data.train, 0, count_of(data.train)),
          .scale = look_up.scale};
}

}  // namespace attention::dot_product
