#include "words.hpp"

#include <fmt/format.h>

#include <cmath>

#include "ladder/results.hpp"
#include "program/error.hpp"
#include "program/heat_map.hpp"

namespace attention::sequence_to_sequence {

namespace {

namespace fs = std::filesystem;

/// The marks at the end of a word's letters and of its phonemes.
constexpr const char* end_label = "end";

std::vector<std::string> letters_of_map(const std::string& word) {
  std::vector<std::string> labels;
  for (const char letter : word) labels.emplace_back(1, letter);
  labels.emplace_back(end_label);
  return labels;
}

/// As many as there are rows of weights: an answer that was cut off has no end.
std::vector<std::string> phonemes_of_map(const Answer& answer) {
  std::vector<std::string> labels;
  for (const int phoneme : symbols_as_phonemes(answer.symbols)) labels.emplace_back(datasets::phonemes.at(static_cast<std::size_t>(phoneme)));
  if (answer.weights.size() > labels.size()) labels.emplace_back(end_label);
  return labels;
}

}  // namespace

record::AttentionRecord record_of(const std::string& word, const Answer& answer, bool real) {
  record::AttentionRecord record;
  record.title = fmt::format("{}: {}", word, datasets::spoken_text(symbols_as_phonemes(answer.symbols)));
  record.real = real;
  record.queries = record::tokens(phonemes_of_map(answer));
  record.keys = record::tokens(letters_of_map(word));
  record.weights = tensor::empty<4>({1, 1, answer.weights.size(), word.size() + 1});
  float* to = record.weights.data();
  for (const std::vector<float>& row : answer.weights) to = std::copy(row.begin(), row.end(), to);
  return record;
}

std::string map_of(const std::string& word, const Answer& answer) {
  std::vector<float> all;
  for (const std::vector<float>& row : answer.weights) all.insert(all.end(), row.begin(), row.end());
  return program::heat_map_for_terminal(all, answer.weights.size(), word.size() + 1,
                                        {.row_labels = phonemes_of_map(answer), .column_labels = letters_of_map(word), .range = std::pair(0.F, 1.F)});
}

void look_at_words(std::span<const std::string> words, const EncoderDecoder<float>& model, const datasets::Pronunciations& data, const fs::path& results, std::ostream& out) {
  if (words.size() > most_words) throw program::UserError(fmt::format("{} words; at most {} are taken", words.size(), most_words));
  std::vector<Symbols> sources;
  for (const std::string& word : words) sources.push_back(letters_of(word));
  const std::vector<Answer> said = answers(model, sources, {.width = 5});
  const ladder::Results folder(results, "08_sequence_to_sequence/word", false, data.real);
  folder.remove_former({"word"});
  Json rows = Json::array();
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string text = datasets::spoken_text(symbols_as_phonemes(said[i].symbols));
    out << fmt::format("{}: {}   (probability {:.3f})\n", words[i], text, std::exp(said[i].log_probability));
    Json known = Json::array();
    for (const datasets::Pronunciation& entry : data.words)
      if (letters_of(entry.word) == sources[i])
        for (const std::vector<int>& spoken : entry.spoken) {
          known.push_back(datasets::spoken_text(spoken));
          out << fmt::format("  the dictionary{}: {}\n", entry.part == datasets::Part::training ? ", learnt from" : ", held out", known.back().get<std::string>());
        }
    if (known.empty()) out << "  not in the dictionary\n";
    out << map_of(words[i], said[i]) << '\n';
    record::AttentionRecord record = record_of(words[i], said[i], data.real);
    record.machine = folder.machine();
    const std::string name = fmt::format("word_{}", i + 1);
    record::write(record, folder.folder(), name);
    rows.push_back({{"word", words[i]}, {"phonemes", text}, {"probability", std::exp(said[i].log_probability)}, {"dictionary", known}, {"record", name}});
  }
  folder.write("words", {{"words", rows}});
  folder.write_summary({});
  out << fmt::format("Results are in {}\n", folder.folder().string());
}

}  // namespace attention::sequence_to_sequence
