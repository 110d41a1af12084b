#pragma once

#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"

/// The chapter's experiments, each a table on the terminal, a result file, and the figures that others quote.
namespace attention::dot_product {

/// What every experiment is given.
struct Context : ladder::ChapterRun {
  const datasets::FashionMnist& data;
};

/// How an image becomes a vector of 784 numbers.
enum class Features {
  raw,      ///< pixels from 0 to 1
  unit,     ///< the same, of length 1: scores are cosines
  centred,  ///< the mean training image taken off first, then of length 1
};
const char* features_name(Features features);

/// The look-up: queries and keys are images, values their classes as one-hot rows of 10.
struct LookUp {
  Features features;
  float scale;
};

/// Experiment 1: accuracy and perplexity of the weights over the scale. Gives the look-up that does best on the part of the
/// training set that was held back. Writes accuracy.json.
LookUp accuracy_over_scale(const Context& context);

/// Experiment 2: the training images that some test images look at most. Writes the attention record looks_at.
void what_it_looks_at(const Context& context, const LookUp& best);

/// Experiment 3: scores, entropy and gradient over the dimension, scaled and not; the softmax without max-subtraction.
/// Writes high_dimension.json.
void high_dimension(const Context& context);

/// Experiment 4: the ladder on the look-up and on the standard shapes, and over sizes and threads.
void climb_the_ladder(const Context& context, const LookUp& best);

/// Experiment 5: the top rung without one of its steps, on random numbers and on the look-up. Writes steps.json.
void steps_of_the_top_rung(const Context& context, const LookUp& best);

}  // namespace attention::dot_product
