#include "sentences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "encoder_record.hpp"
#include "ladder/results.hpp"
#include "program/error.hpp"
#include "program/table.hpp"
#include "program/text.hpp"
#include "record/maps_on_terminal.hpp"

namespace attention::self_attention {

namespace {

namespace fs = std::filesystem;
using multi_head::SentenceEncoder;
using program::UserError;
using Limits = SentenceLimits;
using Pieces = std::vector<std::size_t>;

constexpr std::size_t most_bytes = 64 << 20;
constexpr std::size_t most_tokens = static_cast<std::size_t>(SentenceEncoder::most_tokens);

void add_lines(std::istream& input, std::vector<std::string>& sentences) {
  std::size_t bytes = 0;
  for (std::string line; std::getline(input, line);) {
    bytes += line.size() + 1;
    if (bytes > most_bytes)
      throw UserError(
          fmt::format("standard input: more than {} MB; give fewer sentences at a time", most_bytes >> 20));
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) sentences.push_back(std::move(line));
  }
}

bool better(const Couple& a, const Couple& b) {
  if (a.similarity != b.similarity) return a.similarity > b.similarity;
  return std::pair(a.first, a.second) < std::pair(b.first, b.second);
}

/// One of the user's sentences, and what the model made of it.
struct Sentence {
  std::string text;
  Pieces pieces;  ///< all, also those that the model does not take
  std::size_t taken() const { return std::min(pieces.size(), most_tokens); }
};

std::string shown(const Sentence& s, std::size_t width) {
  return s.text.empty() ? "(empty)" : program::fit(program::one_line(s.text), width);
}

void print_list(std::span<const Sentence> sentences, std::ostream& out) {
  program::Table table({{"", program::Table::Align::right},
                        {"pieces", program::Table::Align::right},
                        {"sentence", program::Table::Align::left}});
  for (std::size_t i = 0; i < std::min(sentences.size(), Limits::listed); ++i) {
    const Sentence& s = sentences[i];
    table.add({std::to_string(i + 1), std::to_string(s.pieces.size()), shown(s, 60)});
  }
  out << table.text();
  if (sentences.size() > Limits::listed)
    out << fmt::format("(and {} more; sentences.json holds all)\n", sentences.size() - Limits::listed);
  const auto is_long = [](const Sentence& s) { return s.pieces.size() > most_tokens; };
  if (const auto cut = std::ranges::count_if(sentences, is_long); cut > 0) {
    const auto first = std::ranges::find_if(sentences, is_long) - sentences.begin();
    out << fmt::format("The model takes {} pieces of a sentence. {}: the rest is left out.\n", most_tokens,
                       cut == 1 ? fmt::format("Sentence {} has more", first + 1)
                                : fmt::format("{} sentences have more, the first is {}", cut, first + 1));
  }
  out << '\n';
}

void print_similarities(std::span<const Sentence> sentences, std::span<const std::vector<float>> embeddings,
                        const std::vector<Couple>& best, std::ostream& out) {
  const std::size_t n = std::min(embeddings.size(), Limits::in_table);
  std::vector<program::Table::Column> columns{{"", program::Table::Align::right}};
  for (std::size_t j = 0; j < n; ++j)
    columns.push_back({std::to_string(j + 1), program::Table::Align::right});
  program::Table table(columns);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::string> cells{std::to_string(i + 1)};
    for (std::size_t j = 0; j < n; ++j)
      cells.push_back(fmt::format("{:.3f}", multi_head::similarity(embeddings[i], embeddings[j])));
    table.add(cells);
  }
  out << "Similarity: the product of two embeddings (1: the same direction)"
      << (n < embeddings.size() ? fmt::format(", of the first {} of {} sentences", n, embeddings.size()) : "")
      << '\n'
      << table.text() << '\n';
  if (n == embeddings.size()) return;
  program::Table couples(
      {{"similarity"}, {"sentence", program::Table::Align::left}, {"and", program::Table::Align::left}});
  const auto name = [&](std::size_t i) { return fmt::format("{}: {}", i + 1, shown(sentences[i], 26)); };
  for (const Couple& c : best)
    couples.add({fmt::format("{:.3f}", c.similarity), name(c.first), name(c.second)});
  out << fmt::format("The most similar of all\n{}\n", couples.text());
}

/// Writes the maps of one sentence as the attention record NAME and shows them where there is room.
void map_sentence(const Sentence& sentence, std::size_t number, const SentenceEncoder& encoder,
                  const ladder::Results& results, bool show, std::ostream& out) {
  const std::size_t n = sentence.taken();
  record::AttentionRecord record = multi_head::attention_record(
      encoder, sentence.pieces, fmt::format("Sentence {}: {}", number, program::one_line(sentence.text, 70)));
  record.machine = results.machine();
  record::write(record, results.folder(), fmt::format("sentence_{}", number));
  if (!show) return;
  if (n > Limits::pieces_on_terminal) {
    out << fmt::format(
        "Sentence {}: the maps of {} pieces are too large for the terminal; sentence_{}.attention.json holds "
        "them\n\n",
        number, n, number);
    return;
  }
  out << fmt::format("Sentence {}: what the heads look at, layer.head; a line is a query\n", number);
  record::print_maps(record.queries.labels, record.weights, out);
}

}  // namespace

std::vector<std::string> read_sentences(std::span<const std::string> texts, std::istream& input) {
  std::vector<std::string> sentences;
  for (const std::string& text : texts)
    if (text == "-")
      add_lines(input, sentences);
    else
      sentences.push_back(text);
  if (sentences.empty()) throw UserError("no sentence: standard input is empty; give one a line");
  if (sentences.size() > Limits::most)
    throw UserError(fmt::format("{} sentences; at most {} are taken, ./course embed takes more",
                                sentences.size(), Limits::most));
  const multi_head::Tokeniser none({});  // says what is not UTF-8
  for (std::size_t i = 0; i < sentences.size(); ++i) try {
      none.encode(sentences[i]);
    } catch (const UserError&) {
      throw UserError(fmt::format("sentence {} is not UTF-8: '{}'; convert it first", i + 1,
                                  program::one_line(sentences[i], 60)));
    }
  return sentences;
}

std::vector<Couple> most_similar(std::span<const std::vector<float>> embeddings, std::size_t count) {
  std::vector<Couple> best;
  const auto merge = [&best, count](std::vector<Couple>& found) {
    const std::size_t keep = std::min(count, found.size());
    std::ranges::partial_sort(found, found.begin() + static_cast<std::ptrdiff_t>(keep), better);
    best.insert(best.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(keep));
    std::ranges::sort(best, better);
    best.resize(std::min(count, best.size()));
  };
  // The order of couples has no ties, so it does not matter in which order the rows are merged.
#pragma omp parallel for schedule(dynamic, 16)
  for (std::size_t i = 0; i < embeddings.size(); ++i) {
    std::vector<Couple> found;
    for (std::size_t j = i + 1; j < embeddings.size(); ++j)
      found.push_back({i, j, multi_head::similarity(embeddings[i], embeddings[j])});
#pragma omp critical
    merge(found);
  }
  return best;
}

void look_at_sentences(std::span<const std::string> texts, const SentenceEncoder& encoder,
                       const fs::path& folder, std::ostream& out) {
  const ladder::Results results(folder, "04_self_attention/text", false, true);
  results.remove_former({"sentence"});
  std::vector<Sentence> sentences;
  for (const std::string& text : texts) sentences.push_back({text, encoder.tokeniser().encode(text)});
  print_list(sentences, out);
  out << std::flush;  // thousands take a while

  const std::vector<std::vector<float>> embeddings = encoder.embed_all(texts);
  const std::vector<Couple> best = most_similar(embeddings, Limits::couples);

  print_similarities(sentences, embeddings, best, out);

  std::vector<std::size_t> mapped;
  std::size_t empty = 0;
  for (std::size_t i = 0; i < sentences.size() && mapped.size() < Limits::mapped; ++i)
    if (sentences[i].pieces.empty())
      ++empty;
    else
      mapped.push_back(i);
  for (std::size_t m = 0; m < mapped.size(); ++m)
    map_sentence(sentences[mapped[m]], mapped[m] + 1, encoder, results, m < Limits::mapped_on_terminal, out);
  if (empty > 0) out << "An empty sentence has no maps.\n";
  if (mapped.size() + empty < sentences.size())
    out << fmt::format("Maps are written for the first {} of {} sentences.\n", mapped.size(),
                       sentences.size());

  Json list = Json::array();
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const Sentence& s = sentences[i];
    list.push_back({{"text", s.text},
                    {"pieces", s.pieces.size()},
                    {"pieces_taken", s.taken()},
                    {"record", std::ranges::count(mapped, i) > 0 ? Json(fmt::format("sentence_{}", i + 1))
                                                                 : Json(nullptr)}});
  }
  const std::size_t square = std::min(embeddings.size(), Limits::in_result);
  Json similarities = Json::array();
  for (std::size_t i = 0; i < square; ++i) {
    Json row = Json::array();
    for (std::size_t j = 0; j < square; ++j) row.push_back(multi_head::similarity(embeddings[i], embeddings[j]));
    similarities.push_back(row);
  }
  Json couples = Json::array();
  for (const Couple& c : best)
    couples.push_back({{"first", c.first + 1}, {"second", c.second + 1}, {"similarity", c.similarity}});
  results.write("sentences",
                {{"sentences", list}, {"similarities", similarities}, {"most_similar", couples}});
  std::vector<ladder::Figure> figures;
  if (!best.empty())
    figures.push_back({"most_similar", static_cast<double>(best.front().similarity), "of 1",
                       fmt::format("similarity of sentences {} and {}, the most similar",
                                   best.front().first + 1, best.front().second + 1)});
  results.write_summary(figures);
  out << fmt::format("Results are in {}\n", results.folder().string());
}

}  // namespace attention::self_attention
