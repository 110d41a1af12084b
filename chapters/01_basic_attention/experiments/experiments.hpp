#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/series.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote.
namespace attention::additive {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  const datasets::WeeklySeries& data;
};

/// Experiment 1: weeks that were held out, filled in from all others by attention pooling: with uniform weights, with a Gaussian
/// kernel over its bandwidth, with additive attention whose parameters are set by hand, over its gain, drawn at random, and learnt.
/// Writes pooling.json, pooling_table.json and the attention record weeks.
void fill_the_gaps(const Context& context);

/// Experiment 2: what attention costs more than the mean, over the length of the sequence. Writes cost.json.
void cost_over_length(const Context& context);

/// Experiment 3: the ladder on the standard shapes, and over sizes and threads.
void climb_the_ladder(const Context& context);

}  // namespace attention::additive
