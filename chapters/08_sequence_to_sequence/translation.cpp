#include "translation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "text/bleu.hpp"
#include "text/chrf.hpp"

namespace attention::sequence_to_sequence {

using datasets::Part;
using datasets::VersePair;
using datasets::Vocabulary;

static_assert(Vocabulary::padding == padding && Vocabulary::unknown == unknown && Vocabulary::begin == begin_mark && Vocabulary::end == end_mark);

namespace {

Vocabulary vocabulary_of(const datasets::VersePairs& verses, const datasets::TaggedText VersePair::*side, std::size_t least) {
  Vocabulary::Counts counts;
  for (const VersePair& pair : verses.pairs)
    if (pair.part == Part::training) counts.add((pair.*side).words);
  return Vocabulary(counts, least);
}

std::set<std::string> distinct(const std::vector<std::string>& words) { return {words.begin(), words.end()}; }

}  // namespace

Translation prepare_translation(const datasets::VersePairs& verses, std::size_t least) {
  Translation t{vocabulary_of(verses, &VersePair::source, least), vocabulary_of(verses, &VersePair::target, least), {}};
  for (const VersePair* pair : verses_of(verses, Part::training)) t.training.push_back({t.source.ids(pair->source.words), t.target.ids(pair->target.words)});
  return t;
}

std::vector<const VersePair*> verses_of(const datasets::VersePairs& verses, Part part) {
  std::vector<const VersePair*> chosen;
  for (const VersePair& pair : verses.pairs) {
    const bool is_short = pair.source.words.size() <= short_verses.most_source_words && pair.target.words.size() <= short_verses.most_target_words;
    if (pair.part == part && (part == Part::training || is_short)) chosen.push_back(&pair);
  }
  return chosen;
}

std::vector<Answer> translate(const EncoderDecoder<float>& model, const Translation& translation, const std::vector<const VersePair*>& verses, const Search& search) {
  std::vector<Symbols> sources;
  for (const VersePair* verse : verses) sources.push_back(translation.source.ids(verse->source.words));
  return answers(model, sources, search);
}

std::vector<std::string> words_of(const Answer& answer, const Vocabulary& vocabulary) {
  std::vector<std::string> words;
  for (const int symbol : answer.symbols) words.push_back(vocabulary.word(symbol));
  return words;
}

std::vector<std::string> words_of(const Answer& answer, const Vocabulary& vocabulary, const std::vector<std::string>& source, const WordTable& table) {
  std::vector<std::string> words = words_of(answer, vocabulary);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (answer.symbols[i] != unknown) continue;
    const std::vector<float>& row = answer.weights.at(i);
    const auto place = std::max_element(row.begin(), row.begin() + std::ssize(source)) - row.begin();
    const std::string& looked_at = source.at(static_cast<std::size_t>(place));
    const std::vector<std::string> known = table.translate({looked_at});
    words[i] = known.empty() ? looked_at : known.front();
  }
  return words;
}

Quality quality_of(const std::vector<std::vector<std::string>>& answers, const std::vector<const VersePair*>& verses) {
  std::vector<std::vector<text::Words>> references;
  std::vector<std::string> said, wanted;
  for (std::size_t i = 0; i < verses.size(); ++i) {
    references.push_back({verses[i]->target.words});
    said.push_back(fmt::format("{}", fmt::join(answers[i], " ")));
    wanted.push_back(fmt::format("{}", fmt::join(verses[i]->target.words, " ")));
  }
  return {text::corpus_bleu(answers, references).score, text::corpus_chrf(said, wanted)};
}

WordTable::WordTable(const std::vector<const VersePair*>& training) {
  std::map<std::string, std::map<std::string, double>> together;
  std::map<std::string, double> in_source, in_target;
  for (const VersePair* verse : training) {
    const std::set<std::string> sources = distinct(verse->source.words), targets = distinct(verse->target.words);
    for (const std::string& t : targets) ++in_target[t];
    for (const std::string& s : sources) {
      ++in_source[s];
      for (const std::string& t : targets) ++together[s][t];
    }
  }
  for (const auto& [s, counts] : together) {
    double most = 0;
    for (const auto& [t, count] : counts) {
      const double dice = 2 * count / (in_source[s] + in_target[t]);
      if (dice <= most) continue;
      most = dice;
      best_[s] = t;
    }
  }
}

std::vector<std::string> WordTable::translate(const std::vector<std::string>& words) const {
  std::vector<std::string> said;
  for (const std::string& word : words)
    if (const auto found = best_.find(word); found != best_.end()) said.push_back(found->second);
  return said;
}

std::vector<std::vector<float>> forced_weights(const EncoderDecoder<float>& model, const Symbols& source, const Symbols& target) {
  Tape<float> tape(autograd::Mode::evaluation);
  const auto read = model.read(tape, closed({&source}));
  Variable<float> state = read.state;
  std::vector<std::vector<float>> weights;
  for (std::size_t t = 0; t <= target.size(); ++t) {
    const auto step = model.step(read, state, {t == 0 ? Index{begin_mark} : target[t - 1]}, static_cast<Index>(t));
    state = step.state;
    weights.emplace_back(step.weights.data(), step.weights.data() + source.size() + 1);
  }
  return weights;
}

AlignmentScore alignment_of(const EncoderDecoder<float>& model, const Translation& translation, const std::vector<const VersePair*>& verses) {
  std::vector<AlignmentScore> scores(verses.size());
  const auto count = std::ssize(verses);
#pragma omp parallel for schedule(dynamic, 8)
  for (Index i = 0; i < count; ++i) {
    const VersePair& verse = *verses[static_cast<std::size_t>(i)];
    const auto links = datasets::gold_links(verse.source, verse.target);
    if (links.empty()) continue;
    const auto weights = forced_weights(model, translation.source.ids(verse.source.words), translation.target.ids(verse.target.words));
    const std::size_t places = verse.source.words.size(), said = verse.target.words.size();
    AlignmentScore& score = scores[static_cast<std::size_t>(i)];
    for (const auto& link : links)
      for (std::size_t word = link.target_begin; word < link.target_end; ++word) {
        const std::vector<float>& row = weights[word];
        // The end mark is no word: the place is asked for among the words.
        const auto most = static_cast<std::size_t>(std::max_element(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(places)) - row.begin());
        // The middle of word `word` of `said`, as a share of the length, on the other side.
        const std::size_t opposite = (2 * word + 1) * places / (2 * said);
        const auto within = [&](std::size_t place) { return place >= link.source_begin && place < link.source_end; };
        ++score.links;
        score.right += within(most) ? 1U : 0U;
        score.diagonal += within(opposite) ? 1U : 0U;
      }
  }
  AlignmentScore all;
  for (const AlignmentScore& score : scores) {
    all.links += score.links;
    all.right += score.right;
    all.diagonal += score.diagonal;
  }
  return all;
}

}  // namespace attention::sequence_to_sequence
