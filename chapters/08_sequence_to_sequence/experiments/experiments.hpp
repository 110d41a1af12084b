#pragma once

#include "ladder/chapter_program.hpp"
#include "trainings.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote. What needs weights that are not there is
/// left out, and one line says how they are made.
namespace attention::sequence_to_sequence {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  const datasets::Pronunciations& words;
  const datasets::VersePairs& verses;
};

/// Says on the terminal that a model is not there, and what makes it.
void say_missing(const Plan& plan);

/// Experiment 1: word and phoneme error of every model on the test words, and by the length of the word. Writes spelling.json, lengths.json and curves.json.
void spelling(const Context& context);

/// Experiment 2: the large model with beams of several widths. Writes beams.json.
void beams(const Context& context);

/// Experiment 3: which letters each phoneme looks at, in some words. Writes the attention records word_*.
void alignments(const Context& context);

/// Experiment 4: verses from Spanish to English: BLEU, chrF, and the alignment held against Strong's numbers. Writes translation.json, examples.json and
/// the attention records verse_*.
void translation(const Context& context);

}  // namespace attention::sequence_to_sequence
