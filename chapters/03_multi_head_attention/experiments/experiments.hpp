#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"

/// The chapter's experiments, each a table on the terminal and a result file.
namespace attention::multi_head {

/// Experiment 1: four heads over the patches of one picture, each set by hand to compare something else. Writes the attention
/// record heads and heads.json.
void what_heads_look_at(const ladder::ChapterRun& run, const datasets::FashionMnist& data);

/// Experiment 2: time, and the size of the weights, for 1 to 16 heads at constant width, and with shared key heads. Writes
/// cost_of_heads.json.
void cost_of_heads(const ladder::ChapterRun& run);

}  // namespace attention::multi_head
