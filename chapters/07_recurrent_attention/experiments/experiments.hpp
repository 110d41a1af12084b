#pragma once

#include "ladder/chapter_program.hpp"
#include "trained.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote.
namespace attention::recurrent_attention {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  const datasets::GlossClasses& glosses;
  const Corpus& corpus;
  std::vector<TrainedClassifier> classifiers;  ///< those whose weights are there; none on stand-in data
};

/// Experiment 1: the share of test glosses told rightly by each way, naive Bayes beside; and what the records of all seeds say. Writes
/// accuracy.json, seeds.json and curves.json.
void accuracies(const Context& context);

/// Experiment 2: the same by the length of the gloss. Writes by_length.json.
void by_length(const Context& context);

/// Experiment 3: which words are looked at. Writes looked_at.json and the attention records gloss_1, gloss_2, …
void looked_at(const Context& context);

/// Experiment 4: on what the answer depends, word by word, for those who ask whether the weights explain it. Writes the evidence record
/// glosses.
void evidence(const Context& context);

/// Experiment 5: the time of one gloss, alone and among others. Writes time.json.
void time_a_gloss(const Context& context);

}  // namespace attention::recurrent_attention
