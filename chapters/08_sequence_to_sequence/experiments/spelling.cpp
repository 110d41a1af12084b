#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "experiments/experiments.hpp"
#include "machine/clock.hpp"
#include "program/table.hpp"

namespace attention::sequence_to_sequence {

namespace {

/// Words longer than this are counted together with those of this length.
constexpr std::size_t longest = 14;
constexpr std::size_t shortest = 3;

/// All of them; in a quick run every `step`-th, since the dictionary is in the alphabet's order.
std::vector<const datasets::Pronunciation*> test_words(const Context& c, std::size_t step) {
  const auto all = c.words.of(datasets::Part::test);
  std::vector<const datasets::Pronunciation*> chosen;
  for (std::size_t i = 0; i < all.size(); i += c.quick ? step : 1) chosen.push_back(all[i]);
  return chosen;
}

/// Of a model's test.
struct Tested {
  text::SequenceErrors all;
  std::map<std::size_t, text::SequenceErrors> by_length;
};

Tested test(const EncoderDecoder<float>& model, const std::vector<const datasets::Pronunciation*>& words) {
  Tested tested;
  const std::vector<Answer> said = pronounce(model, words);
  tested.all = errors_of(said, words);
  for (std::size_t i = 0; i < words.size(); ++i)
    tested.by_length[std::clamp(words[i]->word.size(), shortest, longest)].add(symbols_as_phonemes(said[i].symbols), words[i]->spoken);
  return tested;
}

}  // namespace

void say_missing(const Plan& plan) {
  std::cout << fmt::format("{} is not trained here, so it is left out; ./course train 08 {} makes it\n", plan.name, plan.name);
}

void spelling(const Context& c) {
  const auto words = test_words(c, 10);
  program::Table table({{"model"}, {"word error"}, {"phoneme error"}, {"weights"}, {"steps"}, {"trained in"}});
  Json rows = Json::array(), lengths = Json::array(), curves = Json::array();
  std::map<std::string, Tested> found;
  for (const Plan& plan : spelling_plans()) {
    std::optional<Trained> trained = load_spelling(plan, c.words, c.trained);
    if (!trained) {
      say_missing(plan);
      continue;
    }
    const Tested& tested = found[plan.name] = test(trained->model, words);
    const Index weights = autograd::count(trained->model.parameters());
    const double seconds = trained->record.at("seconds").get<double>();
    table.add({plan.name, fmt::format("{:.1f} %", 100 * tested.all.answer_error_rate()), fmt::format("{:.1f} %", 100 * tested.all.symbol_error_rate()),
               fmt::format("{}", weights), fmt::format("{}", plan.steps), fmt::format("{:.0f} s", seconds)});
    rows.push_back({{"model", plan.name}, {"attention", name_of(plan.sizes.kind)}, {"word_error", tested.all.answer_error_rate()},
                    {"phoneme_error", tested.all.symbol_error_rate()}, {"weights", weights}, {"steps", plan.steps}, {"seconds", seconds}});
    for (const auto& [length, errors] : tested.by_length)
      lengths.push_back({{"model", plan.name}, {"letters", length}, {"words", errors.answers}, {"word_error", errors.answer_error_rate()},
                         {"phoneme_error", errors.symbol_error_rate()}});
    for (const Json& point : trained->record.at("curve"))
      curves.push_back({{"model", plan.name}, {"step", point.at("step")}, {"loss", point.at("loss")}, {"validation", point.at("figure")}});
  }
  if (found.empty()) return;
  std::cout << fmt::format("Letters to phonemes: {} test words{}, greedy\n{}\n", words.size(), c.words.real ? "" : " (generated stand-in data)", table.text());
  c.results.write("spelling", {{"words", words.size()}, {"search", "greedy"}, {"rows", rows}});
  c.results.write("lengths", {{"words", words.size()}, {"longest", longest}, {"shortest", shortest}, {"rows", lengths}});
  c.results.write("curves", {{"rows", curves}});
  const auto figures = [&](const std::string& model, const std::string& suffix, const std::string& what) {
    if (!found.contains(model)) return;
    const text::SequenceErrors& errors = found.at(model).all;
    c.figure("g2p_word_error_rate" + suffix, errors.answer_error_rate(), "1", fmt::format("share of {} test words that {} says wrongly, greedy", errors.answers, what));
    c.figure("g2p_phoneme_error_rate" + suffix, errors.symbol_error_rate(), "1", fmt::format("edits a phoneme on {} test words, {}, greedy", errors.answers, what));
  };
  figures("g2p_additive", "", "the large model with additive attention");
  figures("g2p_additive_small", "_small", "the small model with additive attention");
  figures("g2p_none", "_no_attention", "the small model without attention");
  // Does the gap grow with the length? Words of at most 6 letters against those of 10 and more.
  if (!found.contains("g2p_none") || !found.contains("g2p_additive_small")) return;
  const auto error_of = [&](const std::string& model, std::size_t from, std::size_t to) {
    double wrong = 0, all = 0;
    for (const auto& [length, errors] : found.at(model).by_length) {
      if (length < from || length > to) continue;
      wrong += static_cast<double>(errors.wrong);
      all += static_cast<double>(errors.answers);
    }
    return all == 0 ? 0 : wrong / all;
  };
  for (const auto& [name, from, to, what] : {std::tuple("g2p_gap_short_words", std::size_t{0}, std::size_t{6}, "at most 6"), std::tuple("g2p_gap_long_words", std::size_t{10}, longest, "at least 10")})
    c.figure(name, error_of("g2p_none", from, to) - error_of("g2p_additive_small", from, to), "1",
             fmt::format("word error without attention less that with additive attention, both small, words of {} letters", what));
}

void beams(const Context& c) {
  const Plan& plan = plan_of("g2p_additive");
  std::optional<Trained> trained = load_spelling(plan, c.words, c.trained);
  if (!trained) return;
  const auto words = test_words(c, 20);
  program::Table table({{"width"}, {"word error"}, {"phoneme error"}, {"words a second"}});
  Json rows = Json::array();
  for (const Index width : {1, 2, 5, 10}) {
    const double began = machine::now_seconds();
    const text::SequenceErrors errors = errors_of(pronounce(trained->model, words, {.width = width}), words);
    const double rate = static_cast<double>(words.size()) / (machine::now_seconds() - began);
    table.add({fmt::format("{}", width), fmt::format("{:.2f} %", 100 * errors.answer_error_rate()), fmt::format("{:.2f} %", 100 * errors.symbol_error_rate()), fmt::format("{:.0f}", rate)});
    rows.push_back({{"width", width}, {"word_error", errors.answer_error_rate()}, {"phoneme_error", errors.symbol_error_rate()}, {"words_per_second", rate}});
    if (width == 5)
      c.figure("g2p_word_error_rate_beam", errors.answer_error_rate(), "1", fmt::format("the same of the large model with a beam of 5, {} words", words.size()));
  }
  std::cout << fmt::format("Beam search with the large model, {} test words, {} threads\n{}\n", words.size(), c.threads, table.text());
  c.results.write("beams", {{"words", words.size()}, {"threads", c.threads}, {"rows", rows}});
}

}  // namespace attention::sequence_to_sequence
