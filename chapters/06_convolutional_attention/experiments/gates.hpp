#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"

namespace attention::convolutional {

/// Experiment: which channels squeeze-and-excitation and efficient channel attention open for each class of pictures, with weights
/// set by hand over fixed filters. Writes squeeze_gates.json, efficient_gates.json and the attention record channel_gates.
void channel_gates(const ladder::ChapterRun& run, const datasets::FashionMnist& data);

/// Experiment: where CBAM's spatial gate opens and where attention pooling looks, over three pictures and on average for each
/// class. Writes places_by_class.json and the attention records places_1 to places_3.
void places(const ladder::ChapterRun& run, const datasets::FashionMnist& data);

}  // namespace attention::convolutional
