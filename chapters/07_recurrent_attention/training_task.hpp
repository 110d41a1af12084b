#pragma once

#include "lexicon.hpp"
#include "training/trainer.hpp"

namespace attention::recurrent_attention {

/// A gloss as the classifier takes it.
struct Example {
  std::vector<Index> words;  ///< numbers of a Lexicon
  Index label = 0;
  std::string noun;  ///< which it explains; the classifier does not see it
};

/// Which examples stand in which batch: all of them once an epoch, in an order of its own for each epoch that follows from `seed` alone.
/// Texts of about one length stand together, so that little is padded. Within a batch the longest comes first. `steps` batches.
std::vector<std::vector<std::size_t>> bucketed_batches(std::span<const Example> examples, std::size_t batch_size, std::int64_t steps, std::uint64_t seed);

/// The classes' scores of all examples, [examples, classes], with all threads; and how many examples a batch has.
inline constexpr std::size_t evaluation_batch = 32;
tensor::Tensor<2> scores_of(const TextClassifier<float>& model, std::span<const Example> examples, const Lexicon& lexicon);
/// The first of the highest scores of a row.
Index class_of(const tensor::Tensor<2>& scores, std::size_t row);
/// Share of the examples whose highest score is that of their class, 0 to 1.
double accuracy(const TextClassifier<float>& model, std::span<const Example> examples, const Lexicon& lexicon);

/// How the chapter's classifiers are trained.
struct Settings {
  Sizes sizes;
  double word_dropout = 0.15;  ///< share of words that are hidden in training: as unknown, nothing given
  std::size_t batch = 64;
  int parts = 2;           ///< of a batch, for as many threads; more of them would make small products of large ones
  double epochs = 10;
  double rate = 2e-3;
  double smoothing = 0.1;  ///< of the targets
  double weight_decay = 0.01;
};

/// wordnet_attention, wordnet_mean_pooling, wordnet_last_state.
std::string recipe_name(Pooling pooling);
training::Recipe recipe_of(Pooling pooling, const Settings& settings, std::size_t examples, std::uint64_t seed);

/// The data that training and evaluation share.
struct Corpus {
  Corpus(const datasets::GlossClasses& glosses, WordVectors given);
  std::vector<std::string> classes;
  bool real;  ///< glosses and given vectors both
  Lexicon lexicon;
  std::vector<Example> training, validation, test;
};

/// The task for training::train; model and corpus must live as long. Validation error is what chooses.
training::Task task_of(TextClassifier<float>& model, const Corpus& corpus, const Settings& settings, const training::Recipe& recipe);

}  // namespace attention::recurrent_attention
