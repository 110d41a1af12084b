#pragma once

#include "ladder/chapter_program.hpp"

namespace attention::convolutional {

/// Experiment: the time of each gate's top rung against that of a copy, which reads and writes the maps once (pooling: reads them), and
/// against the bare passes of a gate: each image read from memory, read again from the cache, and written. With one thread and
/// with all. Writes gate_passes.json.
void gate_passes(const ladder::ChapterRun& run);

}  // namespace attention::convolutional
