#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/glosses.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote.
namespace attention::self_attention {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  const datasets::Glosses& data;
};

/// Experiment 1: what the words of one gloss look at under each mask. Writes the attention records map_full, map_causal,
/// map_window and map_biased.
void maps(const Context& context);

/// Experiment 2: the score of two fixed words over their distance, for each kind of positions, at many places. Writes
/// distance.json.
void score_over_distance(const Context& context);

/// Experiment 3: how much weight a word gives to its last occurrence, over how far back that lies. Writes recall.json.
void recall_over_distance(const Context& context);

/// Experiment 4: the same as something to be learnt: which trained model finds one pair among many, over how far back it lies. Writes
/// trained_recall.json.
void trained_recall(const Context& context);

/// Experiment 5: what happens to the outputs when the tokens are permuted, or moved to later positions. Writes
/// symmetries.json.
void symmetries(const Context& context);

/// Experiment 6: static against dynamic schedules on the causal triangle. Writes schedules.json.
void schedules(const Context& context);

/// Experiment 7: the time of one more token with the key-value cache against a full pass, and of a text that is read in pieces.
/// Writes decoding.json and reading.json.
void decoding(const Context& context);

/// Experiment 8: full, windowed and linear attention over long sequences, time and memory. Writes long_sequences.json.
void long_sequences(const Context& context);

/// Experiment 9: the ladders on the words of the dictionary, on the standard shapes, over sizes and threads.
void climb_the_ladders(const Context& context);

}  // namespace attention::self_attention
