#pragma once

#include "ladder/chapter_program.hpp"

namespace attention::convolutional {

/// Experiment: the time of four mechanisms with the channels first, by the rungs that read, decide and write image by image, and
/// the same with the channels last. A batch beyond the last-level cache, one thread and all. Writes layouts.json.
void layouts(const ladder::ChapterRun& run);

}  // namespace attention::convolutional
