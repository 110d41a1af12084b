#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"
#include "loaders/glosses.hpp"
#include "sentence_encoder.hpp"

/// The chapter's experiments, each a table on the terminal and a result file.
namespace attention::multi_head {

/// Experiment 1: four heads over the patches of one picture, each set by hand to compare something else. Writes the attention
/// record heads and heads.json.
void what_heads_look_at(const ladder::ChapterRun& run, const datasets::FashionMnist& data);

/// Experiment 2: time, and the size of the weights, for 1 to 16 heads at constant width, and with shared key heads. Writes
/// cost_of_heads.json.
void cost_of_heads(const ladder::ChapterRun& run);

/// Experiment 3: the eight heads of an encoder that others trained: where each looks, how far apart they are, and how much the
/// similarity of sentences changes when one is removed. Writes the attention record encoder_map, encoder_heads.json,
/// encoder_divergence.json and encoder_removed.json. Without an encoder (nullptr) says that it is left out. The statistics are over
/// glosses where they are real, else over the sentences of our own.
void heads_of_an_encoder(const ladder::ChapterRun& run, const SentenceEncoder* encoder, const datasets::Glosses& glosses);

/// Experiment 4: small models trained with 1 to 16 heads at constant width: their accuracy, and that of one whose heads are taken out.
/// Writes heads_accuracy.json, from the records of the trainings, and heads_pruned.json. Says so where no model, or no real gloss,
/// is there.
void trained_heads(const ladder::ChapterRun& run, const datasets::Glosses& glosses);

/// Experiment 5: the time of a sentence through that encoder, by its length. Writes encoder_speed.json. Nothing without an encoder.
void encoder_speed(const ladder::ChapterRun& run, const SentenceEncoder* encoder);

}  // namespace attention::multi_head
