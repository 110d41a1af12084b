#pragma once

#include <string>
#include <vector>

#include "experiments/experiments.hpp"
#include "self_attention.hpp"

namespace attention::self_attention {

/// The words of a text in lower case; signs between them fall away.
std::vector<std::string> words_of(const std::string& text);

/// The words of the glosses one after the other, until there are `count`. Every `step`-th gloss is taken, so that a short
/// text is not all from one corner of the dictionary.
std::vector<std::string> running_text(const datasets::Glosses& data, std::size_t count, std::size_t step);

/// Words as vectors, by fixed means: a word with a mark at either end is cut into pieces of 3 to 5 letters, every piece has a
/// random vector of its own (seeded by a hash of its letters), and the word is their sum, of length sqrt(width). Words that
/// share pieces, "animal" and "animals", have similar vectors; nothing is learnt. (The idea of pieces is fastText's:
/// Bojanowski et al. 2017.) [1, words, width]
Tensor<3> word_vectors(const std::vector<std::string>& words, Index width);

/// A table of positions as before any training: random rows of variance 1/2, as sinusoidal encodings have. A row depends on
/// its number alone, not on how many there are. [rows, width]
Tensor<2> random_table(Index rows, Index width);

/// Attention over these words with fixed projections: head h takes entries h · dim … of a vector as they are, for Q, K and V
/// (W is a part of the identity), times `sharpness` for Q. So a score is the likeness of two words in the head's part. Learned
/// positions are a random_table.
Problem word_problem(const std::vector<std::string>& words, Index heads, Index dim, float sharpness, Mask mask, Positions positions);

}  // namespace attention::self_attention
