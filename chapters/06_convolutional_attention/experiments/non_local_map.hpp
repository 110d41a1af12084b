#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"

namespace attention::convolutional {

/// Experiment: where single pixels of one picture look, in a non-local block whose filters nobody trained. Writes the attention
/// record non_local_map and non_local_map.json.
void non_local_map(const ladder::ChapterRun& run, const datasets::FashionMnist& data);

}  // namespace attention::convolutional
