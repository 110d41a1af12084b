#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/glosses.hpp"
#include "sentence_encoder.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote.
namespace attention::visualising {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  std::filesystem::path all_results;  ///< the folder with the results of all chapters
  const datasets::Glosses& glosses;
  const multi_head::SentenceEncoder* encoder;  ///< null where it is not there
};

/// Experiment 1: one sentence in the sentence encoder, every way of looking at it. Writes texts.json, the
/// records text_1, text_1_rollout and text_1_flow, and bertviz/.
void one_sentence(const Context& context);

/// Experiment 2: the records of the other chapters, entropy and distance of each of their heads. Writes
/// heads.json, page.json (the records of the page), and bertviz/.
void records_of_others(const Context& context);

/// Experiment 3: whether the weights of chapter 7's classifier explain its answers, from the evidence that it
/// has left. Writes explanation.json.
void explains_a_classifier(const Context& context);

/// Experiment 4: whether what the sentence encoder looks at is what its answer hangs on, over many glosses.
/// Writes encoder.json.
void explains_an_encoder(const Context& context);

}  // namespace attention::visualising
