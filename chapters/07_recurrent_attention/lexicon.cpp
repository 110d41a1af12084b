#include "lexicon.hpp"

#include <algorithm>
#include <cmath>

#include "loaders/folder.hpp"
#include "numerics/hash.hpp"

namespace attention::recurrent_attention {

namespace {

constexpr auto given_width = static_cast<std::size_t>(WordVectors::width);

datasets::Vocabulary training_vocabulary(const datasets::GlossClasses& glosses) {
  datasets::Vocabulary::Counts counts;
  for (const datasets::ClassifiedGloss& gloss : glosses.glosses)
    if (gloss.part == datasets::Part::training) counts.add(gloss.words);
  return datasets::Vocabulary(counts);
}

}  // namespace

WordVectors::WordVectors(const std::filesystem::path& data_folder) {
  if (datasets::has_folder(data_folder, "sentence_encoder"))
    encoder_ = std::make_unique<multi_head::SentenceEncoder>(data_folder / "sentence_encoder");
}

std::vector<float> WordVectors::of(const std::string& word) const {
  std::vector<float> sum(given_width, 0);
  if (encoder_) {
    for (const std::size_t piece : encoder_->tokeniser().encode(word)) {
      const std::span<const float> vector = encoder_->piece_vector(piece);
      for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += vector[c];
    }
  } else {
    numerics::Random random(numerics::hash_of(word));
    for (float& x : sum) x = random.normal();
  }
  double squares = 0;
  for (const float x : sum) squares += static_cast<double>(x) * static_cast<double>(x);
  if (squares > 0)
    for (float& x : sum) x = static_cast<float>(static_cast<double>(x) * length / std::sqrt(squares));
  return sum;
}

Lexicon::Lexicon(const datasets::GlossClasses& glosses, std::shared_ptr<const WordVectors> given) : given_(std::move(given)) {
  const datasets::Vocabulary vocabulary = training_vocabulary(glosses);
  // The special words are no words: they are given nothing.
  for (int id = 0; id < datasets::Vocabulary::first_word; ++id) words_.push_back(vocabulary.word(id));
  vectors_.assign(words_.size() * given_width, 0);
  for (std::size_t id = words_.size(); id < vocabulary.size(); ++id) add(vocabulary.word(static_cast<int>(id)));
  training_words_ = std::ssize(words_);
}

void Lexicon::add(const std::string& word) {
  numbers_.emplace(word, std::ssize(words_));
  words_.push_back(word);
  const std::vector<float> vector = given_->of(word);
  vectors_.insert(vectors_.end(), vector.begin(), vector.end());
}

std::vector<Index> Lexicon::numbers(std::span<const std::string> words) {
  std::vector<Index> numbers;
  for (const std::string& word : words) {
    if (numbers_.find(word) == numbers_.end()) add(word);
    numbers.push_back(numbers_.find(word)->second);
  }
  return numbers;
}

Batch<float> batch_of(std::span<const std::vector<Index>* const> texts, const Lexicon& lexicon, const Sizes& sizes) {
  Batch<float> batch;
  std::size_t time = 1;
  for (const std::vector<Index>* text : texts) {
    batch.lengths.push_back(std::ssize(*text));
    time = std::max(time, text->size());
  }
  batch.words.assign(time * texts.size(), datasets::Vocabulary::padding);
  batch.given = tensor::filled_array<float>({time, texts.size(), static_cast<std::size_t>(sizes.given)}, 0);
  for (std::size_t b = 0; b < texts.size(); ++b)
    for (std::size_t t = 0; t < texts[b]->size(); ++t) {
      const Index number = (*texts[b])[t];
      const std::size_t place = t * texts.size() + b;
      batch.words[place] = number < sizes.words ? number : datasets::Vocabulary::unknown;
      std::copy_n(lexicon.vector(number), sizes.given, batch.given.data() + place * static_cast<std::size_t>(sizes.given));
    }
  return batch;
}

}  // namespace attention::recurrent_attention
