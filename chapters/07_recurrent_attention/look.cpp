#include "look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <numeric>
#include <stdexcept>

#include "autograd/softmax.hpp"
#include "evidence_of.hpp"
#include "ladder/results.hpp"
#include "program/error.hpp"
#include "program/table.hpp"
#include "program/terminal.hpp"
#include "program/text.hpp"
#include "program/words_by_weight.hpp"
#include "record/attention_record.hpp"

namespace attention::recurrent_attention {

namespace fs = std::filesystem;
using program::UserError;

namespace {

/// Classes that are shown, of all.
constexpr std::size_t shown_classes = 3;

/// "animal 93 %, food 2 %, plant 1 %"
std::string largest_shares(const std::vector<float>& shares, const std::vector<std::string>& classes) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return shares[a] > shares[b]; });
  std::string text;
  for (std::size_t i = 0; i < std::min(shown_classes, order.size()); ++i)
    text += fmt::format("{}{} {:.0f} %", i == 0 ? "" : ", ", classes[order[i]], 100 * static_cast<double>(shares[order[i]]));
  return text;
}

}  // namespace

std::size_t Reading::best() const { return static_cast<std::size_t>(std::ranges::max_element(shares) - shares.begin()); }

Reading read(const TextClassifier<float>& model, const std::vector<Index>& words, const Lexicon& lexicon) {
  if (words.empty()) throw std::invalid_argument("a text of no words");
  Tape<float> tape(autograd::Mode::evaluation);
  const std::vector<const std::vector<Index>*> texts{&words};
  const Answer<float> answer = model(tape, batch_of(texts, lexicon, model.sizes));
  const Variable<float> shares = autograd::softmax(answer.scores);
  Reading reading;
  reading.shares.assign(shares.data(), shares.data() + shares.size());
  if (model.pooling != Pooling::last_state) reading.weights.assign(answer.weights.data(), answer.weights.data() + answer.weights.size());
  return reading;
}

std::vector<std::string> texts_from(std::span<const std::string> arguments, std::istream& input) {
  std::vector<std::string> texts;
  for (const std::string& argument : arguments) {
    if (argument != "-") {
      texts.push_back(argument);
      continue;
    }
    for (std::string line; texts.size() <= most_texts && std::getline(input, line);) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) texts.push_back(line);
    }
  }
  if (texts.empty()) throw UserError("no text: standard input is empty; give one a line");
  if (texts.size() > most_texts) throw UserError(fmt::format("more than {} texts; give fewer at a time", most_texts));
  return texts;
}

void look_at_texts(std::span<const std::string> texts, Corpus& corpus, std::span<const TrainedClassifier> classifiers, const fs::path& folder,
                   std::ostream& out) {
  if (!corpus.real) throw UserError("WordNet or the sentence encoder is not there, and a classifier of stand-in data knows no English; ./course run 07 fetches both");
  if (classifiers.empty()) throw UserError(fmt::format("no classifier is trained; {}", how_to_train));
  std::vector<std::vector<std::string>> words;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    words.push_back(datasets::gloss_words(texts[i]));
    if (words.back().empty())
      throw UserError(fmt::format("text {} has no word: '{}'; words are of the letters a to z", i + 1, program::one_line(texts[i], 60)));
  }
  const ladder::Results results(folder, "07_recurrent_attention/text", false, true);
  results.remove_former({"text"});
  const bool colour = program::wants_colour(program::Stream::output);
  Json list = Json::array();
  std::vector<Example> examples;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Index> numbers = corpus.lexicon.numbers(words[i]);
    Json readings = Json::array();
    out << fmt::format("{}\n", program::one_line(texts[i], 200));
    program::Table table({"read by", "class", "shares"});
    std::string coloured;
    for (const TrainedClassifier& classifier : classifiers) {
      const Pooling pooling = classifier.model.pooling;
      const Reading reading = read(classifier.model, numbers, corpus.lexicon);
      table.add({name_of(pooling), corpus.classes[reading.best()], largest_shares(reading.shares, corpus.classes)});
      readings.push_back({{"read by", name_of(pooling)}, {"class", corpus.classes[reading.best()]}, {"shares", reading.shares}, {"weights", reading.weights}});
      if (pooling != Pooling::attention) continue;
      examples.push_back({numbers, static_cast<Index>(reading.best()), ""});
      coloured = program::words_by_weight(words[i], reading.weights, colour);
      record::AttentionRecord record;
      record.title = fmt::format("{}: {}", corpus.classes[reading.best()], program::one_line(texts[i], 70));
      record.queries = record::tokens({corpus.classes[reading.best()]});
      record.keys = record::tokens(words[i]);
      record.machine = results.machine();
      record.weights = tensor::empty<4>({1, 1, 1, words[i].size()});
      std::ranges::copy(reading.weights, record.weights.data());
      record::write(record, results.folder(), fmt::format("text_{}", i + 1));
    }
    out << table.text(2);
    if (!coloured.empty()) out << "  " << coloured << '\n';
    out << '\n';
    list.push_back({{"text", texts[i]}, {"words", words[i]}, {"readings", readings}});
  }
  if (!examples.empty()) {
    const auto attentive = std::ranges::find(classifiers, Pooling::attention, [](const TrainedClassifier& c) { return c.model.pooling; });
    record::EvidenceRecord evidence = evidence_of(attentive->model, examples, corpus, "The reader's texts; the class is the one that was told");
    evidence.machine = results.machine();
    record::write(evidence, results.folder(), "texts");
  }
  results.write("texts", {{"classes", corpus.classes}, {"texts", list}});
  results.write_summary({});
  out << fmt::format("Results are in {}\n", results.folder().string());
}

}  // namespace attention::recurrent_attention
