#pragma once

#include <cstdint>

#include "layers/window.hpp"

namespace attention::convolutional {

/// Pooling over windows (operators MaxPool, AveragePool, GlobalMaxPool, GlobalAveragePool of ONNX). Maps are [planes, spatial …],
/// a plane for each channel of each image, row-major; `output` has planes · window.outputs() numbers.

/// In which order the places of a plane are counted by the second output of max_pool.
enum class PlaceOrder { row_major, column_major };

/// Where the places of the maxima go.
struct MaxPlaces {
  std::int64_t* to = nullptr;  ///< as many as the outputs; counted over all planes, −1 for a window that meets no input
  PlaceOrder order = PlaceOrder::row_major;
};

/// The largest number of each window; padding never wins. NaN is larger than any number, and of equals the first counts. A window
/// that meets no input gives −∞, or the least number that Real has. Real: float, std::uint8_t.
template <class Real>
void max_pool(const Window& window, Index planes, const Real* input, Real* output, MaxPlaces places = {});

/// The mean of each window, summed in float64. `count_padding`: places of the padding count as zeros, those beyond it never
/// count. A window without any place that counts gives NaN: 0/0.
void average_pool(const Window& window, Index planes, const float* input, bool count_padding, float* output);

/// One number for a plane of `places`: its largest, its mean. The empty plane gives −∞ and NaN.
void global_max_pool(Index planes, Index places, const float* input, float* output);
void global_average_pool(Index planes, Index places, const float* input, float* output);

}  // namespace attention::convolutional
