#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace attention::text {

using Words = std::vector<std::string>;

/// BLEU of a whole corpus and what it is made of.
struct Bleu {
  double score = 0;                     ///< 0 to 100
  std::array<double, 4> precision{};    ///< clipped, of 1 to 4 words
  double brevity_penalty = 0;           ///< at most 1
  std::size_t candidate_words = 0;
  std::size_t reference_words = 0;      ///< of the references nearest in length, the shorter of equally near ones
};

/// BLEU-4 with equal weights over a corpus: 100 · BP · exp(¼ Σ log pₙ), BP = exp(min(0, 1 − r/c)); counts are summed over the
/// corpus before they are divided. Nothing is smoothed: where no run of four words is right, the score is 0.
/// `references[i]` are the translations that candidate i is held against. Throws std::invalid_argument where the lists differ in
/// length or a candidate has no reference.
/// Source: K. Papineni and others, "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002, section 2.3.
Bleu corpus_bleu(const std::vector<Words>& candidates, const std::vector<std::vector<Words>>& references);

}  // namespace attention::text
