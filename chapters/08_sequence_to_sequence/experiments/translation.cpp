#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "experiments/experiments.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"

namespace attention::sequence_to_sequence {

namespace {

using datasets::Part;
using datasets::VersePair;

/// Verses that are shown: the first of the test.
constexpr std::size_t shown = 3;

std::vector<std::string> with_end(std::vector<std::string> words) {
  words.emplace_back("end");
  return words;
}

void write_record(const Context& c, const VersePair& verse, const Answer& answer, const std::vector<std::string>& said, std::size_t number) {
  record::AttentionRecord record;
  record.title = fmt::format("{}:{}", verse.chapter, verse.verse);
  record.real = c.verses.real;
  record.queries = record::tokens(answer.weights.size() > said.size() ? with_end(said) : said);
  record.keys = record::tokens(with_end(verse.source.words));
  record.machine = c.results.machine();
  record.weights = tensor::empty<4>({1, 1, answer.weights.size(), verse.source.words.size() + 1});
  float* to = record.weights.data();
  for (const std::vector<float>& row : answer.weights) to = std::copy(row.begin(), row.end(), to);
  record::write(record, c.results.folder(), fmt::format("verse_{}", number));
}

}  // namespace

void translation(const Context& c) {
  const Translation prepared = prepare_translation(c.verses, least_count);
  std::vector<const VersePair*> test;
  const auto all = verses_of(c.verses, Part::test);
  for (std::size_t i = 0; i < all.size(); i += c.quick ? 4 : 1) test.push_back(all[i]);
  program::Table table({{"translator"}, {"BLEU"}, {"chrF"}});
  Json rows = Json::array();
  const auto add = [&](const std::string& name, const Quality& q) {
    table.add({name, fmt::format("{:.1f}", q.bleu), fmt::format("{:.1f}", q.chrf)});
    rows.push_back({{"translator", name}, {"bleu", q.bleu}, {"chrf", q.chrf}});
  };
  std::vector<std::vector<std::string>> said;
  const WordTable words(verses_of(c.verses, Part::training));
  for (const VersePair* verse : test) said.push_back(words.translate(verse->source.words));
  const Quality by_table = quality_of(said, test);
  add("word by word", by_table);
  c.figure("translation_bleu_word_table", by_table.bleu, "points", fmt::format("BLEU of every word replaced by the one it stands together with most, {} verses", test.size()));
  Json content = {{"verses", test.size()}, {"training", prepared.training.size()}, {"source_words", prepared.source.size()}, {"target_words", prepared.target.size()}};
  Json examples = Json::array();
  for (const Plan& plan : translation_plans()) {
    std::optional<Trained> trained = load_translation(plan, prepared, c.verses.real, c.trained);
    if (!trained) {
      say_missing(plan);
      continue;
    }
    const bool attends = plan.sizes.kind != Kind::none;
    const std::vector<Answer> found = translate(trained->model, prepared, test, {.width = 5, .unknown_too = attends});
    said.clear();
    for (std::size_t i = 0; i < test.size(); ++i)
      said.push_back(attends ? words_of(found[i], prepared.target, test[i]->source.words, words) : words_of(found[i], prepared.target));
    const Quality q = quality_of(said, test);
    add(plan.name, q);
    const std::string suffix = attends ? "" : "_no_attention";
    c.figure("translation_bleu" + suffix, q.bleu, "points", fmt::format("BLEU of {} test verses, a beam of 5, attention: {}", test.size(), name_of(plan.sizes.kind)));
    c.figure("translation_chrf" + suffix, q.chrf, "points", "chrF of the same");
    if (!attends) continue;
    const AlignmentScore score = alignment_of(trained->model, prepared, test);
    c.figure("alignment_precision", score.precision(), "1",
             fmt::format("share of {} words whose largest weight lies on a word with the same Strong's number", score.links));
    c.figure("alignment_precision_diagonal", score.diagonal_precision(), "1", "the same of the place at the same share of the verse");
    content["links"] = score.links;
    content["precision"] = score.precision();
    content["diagonal"] = score.diagonal_precision();
    for (std::size_t i = 0; i < std::min(shown, test.size()); ++i) {
      write_record(c, *test[i], found[i], said[i], i + 1);
      examples.push_back({{"verse", fmt::format("{}:{}", test[i]->chapter, test[i]->verse)}, {"said", fmt::format("{}", fmt::join(said[i], " "))}});
    }
  }
  std::cout << fmt::format("Spanish to English: {} test verses{}\n{}\n", test.size(), c.verses.real ? "" : " (generated stand-in data)", table.text());
  content["rows"] = rows;
  c.results.write("translation", content);
  c.results.write("examples", {{"rows", examples}});
}

}  // namespace attention::sequence_to_sequence
