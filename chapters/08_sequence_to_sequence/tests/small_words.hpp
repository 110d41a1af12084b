#pragma once

#include <string_view>
#include <vector>

#include "spelling.hpp"
#include "training/optimiser.hpp"

namespace attention::tests {

using namespace attention::sequence_to_sequence;

/// Words of invented spelling: each letter is said, "c" as one phoneme before "i" and as another elsewhere, and "e" at the end is silent.
inline std::vector<Pair> twenty_words() {
  std::vector<Pair> pairs;
  for (const std::string_view word : {"bac", "cib", "cab", "bice", "ace", "cice", "babe", "acib", "bib", "cac", "ibac", "abice", "cabac", "bacib", "aba", "ici", "bacice", "cibab", "abab", "cace"}) {
    Pair pair{letters_of(word), {}};
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (word[i] == 'e') continue;
      const bool soft = word[i] == 'c' && i + 1 < word.size() && word[i + 1] == 'i';
      pair.target.push_back(first_symbol + (word[i] == 'a' ? 0 : word[i] == 'b' ? 1 : word[i] == 'i' ? 2 : soft ? 3 : 4));
    }
    pairs.push_back(pair);
  }
  return pairs;
}

inline Sizes small_sizes(Kind kind) {
  return {.source_symbols = letter_symbols, .target_symbols = first_symbol + 5, .embedding = 12, .encoder = 16, .decoder = 32, .units = 16, .window = 2, .dropout = 0, .kind = kind};
}

/// `steps` steps of Adam on all pairs at once, in `parts` parts. Gives the last loss.
inline double train_small(EncoderDecoder<float>& model, const std::vector<Pair>& pairs, int steps, int parts = 1) {
  const Batches batches(pairs, std::ssize(pairs), parts, 1);
  const auto parameters = model.parameters();
  training::Adam adam(parameters, {});
  double loss = 0;
  for (int step = 0; step < steps; ++step) {
    std::vector<std::unique_ptr<Tape<float>>> tapes(static_cast<std::size_t>(parts));
    std::vector<double> losses(tapes.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (int part = 0; part < parts; ++part) {
      const auto i = static_cast<std::size_t>(part);
      tapes[i] = std::make_unique<Tape<float>>(autograd::Mode::training, static_cast<std::uint64_t>(step * parts + part));
      const Variable<float> share = model.loss(*tapes[i], batches.part(step, part), static_cast<double>(batches.targets(step)));
      losses[i] = static_cast<double>(share.data()[0]);
      tapes[i]->backward(share);
    }
    loss = 0;
    for (const double l : losses) loss += l;
    training::Gradients gradients = training::sum_of(tapes, parameters);
    training::clip_norm(gradients, 1);
    adam.step(gradients, 0.01);
  }
  return loss;
}

/// How many of the pairs are answered rightly.
inline int right_of(const std::vector<Answer>& found, const std::vector<Pair>& pairs) {
  int right = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) right += found[i].symbols == pairs[i].target;
  return right;
}

inline std::vector<Symbols> sources_of(const std::vector<Pair>& pairs) {
  std::vector<Symbols> sources;
  for (const Pair& pair : pairs) sources.push_back(pair.source);
  return sources;
}

}  // namespace attention::tests
