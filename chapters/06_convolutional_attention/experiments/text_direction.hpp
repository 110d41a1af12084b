#pragma once

#include "direction_classifier.hpp"
#include "ladder/chapter_program.hpp"

namespace attention::convolutional {

/// Experiment: the gates of a network that others trained, on drawn text upright and turned by 180 degrees, and what it answers.
/// And again with the gates of upright text given to turned text and the other way round: do they carry the answer? Writes
/// direction_answers.json, direction_styles.json, direction_gates.json, direction_exchanged.json and the attention records
/// direction_gates_1 to direction_gates_9. Says in one line that it is left out where `classifier` is null: the model is not there.
void text_direction(const ladder::ChapterRun& run, const DirectionClassifier* classifier);

}  // namespace attention::convolutional
