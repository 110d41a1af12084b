#pragma once

#include "ladder/chapter_program.hpp"

namespace attention::convolutional {

/// Experiment: the time of each gate's top rung against the bare passes that it must make: each image read from memory, read again
/// from the cache, and written (pooling: not written). With one thread and with all. Writes gate_passes.json.
void gate_passes(const ladder::ChapterRun& run);

}  // namespace attention::convolutional
