#include "experiments/text_direction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>

#include "drawn_text.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"

namespace attention::convolutional {

namespace {

using tensor::Tensor;

struct Style {
  const char* name;
  TextStyle style;
};
constexpr std::array<Style, 4> styles{{{"dark on light", {}}, {"bold", {.bold = true}}, {"light on dark", {.light_on_dark = true}}, {"light on dark, bold", {.light_on_dark = true, .bold = true}}}};

/// Texts of which some read the same upside down: these are the control.
std::vector<std::string> texts() {
  return {"ATTENTION", "CHAPTER 6", "RUNG BY RUNG", "QUERY", "KEY AND VALUE", "SQUEEZE", "PICTURE", "EXAMPLE 27", "TRAFFIC", "GATE 4", "PAPER", "LADDER", "NOON", "SOS", "NOXON"};
}

/// A text upright and turned in one style, and the answers to both.
struct Answers {
  std::string text;
  bool symmetric;  ///< both pictures are the same
  Direction upright, turned;
};

std::vector<Answers> answers_in(const DirectionClassifier& classifier, TextStyle style) {
  std::vector<Tensor<2>> pictures;
  for (const std::string& text : texts()) {
    pictures.push_back(draw_text(text, style));
    pictures.push_back(turned(pictures.back()));
  }
  const std::vector<Direction> directions = classifier.classify(pictures);
  std::vector<Answers> answers;
  for (std::size_t i = 0; i < texts().size(); ++i) {
    const Tensor<2> plain = draw_text(texts()[i]);
    answers.push_back({texts()[i], turned(plain) == plain, directions[2 * i], directions[2 * i + 1]});
  }
  return answers;
}

double rounded(double x) { return std::round(1000 * x) / 1000; }

void show_answers(const ladder::ChapterRun& run, const std::vector<Answers>& answers) {
  program::Table table({{"text"}, {"upright: called turned"}, {"turned: called turned"}});
  Json rows = Json::array();
  for (const Answers& a : answers) {
    const std::string name = a.symmetric ? a.text + " (reads the same)" : a.text;
    table.add({name, fmt::format("{:.3f}", a.upright.turned), fmt::format("{:.3f}", a.turned.turned)});
    rows.push_back({{"text", name}, {"upright: called turned", rounded(static_cast<double>(a.upright.turned))}, {"turned: called turned", rounded(static_cast<double>(a.turned.turned))}});
  }
  run.results.write("direction_answers", {{"rows", rows}});
  std::cout << fmt::format("Text upright and turned: the probability with which a trained classifier calls it turned\n{}\n", table.text());
}

void show_styles(const ladder::ChapterRun& run, const std::vector<std::vector<Answers>>& by_style) {
  program::Table table({{"letters"}, {"texts"}, {"right when upright"}, {"right when turned"}});
  Json rows = Json::array();
  double right = 0, all = 0;
  for (std::size_t s = 0; s < styles.size(); ++s) {
    int count = 0, upright = 0, over = 0;
    for (const Answers& a : by_style[s]) {
      if (a.symmetric) continue;
      ++count;
      upright += a.upright.upright > a.upright.turned;
      over += a.turned.turned > a.turned.upright;
    }
    right += upright + over, all += 2 * count;
    table.add({styles[s].name, fmt::format("{}", count), fmt::format("{}", upright), fmt::format("{}", over)});
    rows.push_back({{"letters", styles[s].name}, {"texts", count}, {"right when upright", upright}, {"right when turned", over}});
  }
  run.results.write("direction_styles", {{"rows", rows}});
  run.figure("text_direction_right", right / all, "1", "share of drawn texts whose direction a trained classifier tells rightly, upright and turned");
  std::cout << fmt::format("… and how often it is right, without the texts that read the same\n{}\n", table.text());
}

/// Means of one block's gates over all texts that do not read the same: upright, and turned.
std::array<std::vector<double>, 2> mean_gates(const std::vector<std::vector<Answers>>& by_style, std::size_t block) {
  std::array<std::vector<double>, 2> mean;
  double count = 0;
  for (const auto& answers : by_style)
    for (const Answers& a : answers) {
      if (a.symmetric) continue;
      ++count;
      for (const std::size_t way : {std::size_t{0}, std::size_t{1}}) {
        const std::vector<float>& gates = (way == 0 ? a.upright : a.turned).gates[block];
        mean[way].resize(gates.size(), 0);
        for (std::size_t c = 0; c < gates.size(); ++c) mean[way][c] += static_cast<double>(gates[c]);
      }
    }
  for (auto& gates : mean)
    for (double& gate : gates) gate /= count;
  return mean;
}

void write_gates(const ladder::ChapterRun& run, const std::array<std::vector<double>, 2>& mean, std::size_t block) {
  const std::size_t channels = mean[0].size();
  record::AttentionRecord record;
  record.title = fmt::format("Gates of block {} of a text direction classifier, each divided by the number of channels", block + 1);
  record.machine = run.results.machine();
  record.weights = tensor::empty<4>({1, 1, 2, channels});
  float* to = record.weights.data();
  for (const auto& gates : mean)
    for (const double gate : gates) *to++ = static_cast<float>(gate / static_cast<double>(channels));
  record.queries = record::tokens({"text upright", "text turned"});
  std::vector<std::string> names;
  for (std::size_t c = 0; c < channels; ++c) names.push_back(fmt::format("{}", c));
  record.keys = record::tokens(names);
  record::write(record, run.results.folder(), fmt::format("direction_gates_{}", block + 1));
}

/// Shares of all gates that are shut (0) and wide open (1): the hard sigmoid reaches both.
std::array<double, 2> ends(const std::vector<std::vector<Answers>>& by_style, std::size_t block) {
  double shut = 0, open = 0, count = 0;
  for (const auto& answers : by_style)
    for (const Answers& a : answers)
      for (const auto* direction : {&a.upright, &a.turned})
        for (const float gate : direction->gates[block]) shut += gate <= 0, open += gate >= 1, ++count;
  return {shut / count, open / count};
}

void show_gates(const ladder::ChapterRun& run, const std::vector<std::vector<Answers>>& by_style) {
  program::Table table({{"block"}, {"channels"}, {"shut"}, {"wide open"}, {"mean difference"}, {"channel that differs most"}, {"upright"}, {"turned"}});
  Json rows = Json::array();
  for (std::size_t block = 0; block < DirectionClassifier::blocks; ++block) {
    const auto mean = mean_gates(by_style, block);
    const auto [shut, open] = ends(by_style, block);
    std::size_t most = 0;
    double sum = 0;
    const auto difference = [&](std::size_t c) { return std::abs(mean[0][c] - mean[1][c]); };
    for (std::size_t c = 0; c < mean[0].size(); ++c) {
      sum += difference(c);
      if (difference(c) > difference(most)) most = c;
    }
    const double average = sum / static_cast<double>(mean[0].size());
    table.add({fmt::format("{}", block + 1), fmt::format("{}", mean[0].size()), fmt::format("{:.1f} %", 100 * shut), fmt::format("{:.1f} %", 100 * open),
               fmt::format("{:.3f}", average), fmt::format("{}", most), fmt::format("{:.3f}", mean[0][most]), fmt::format("{:.3f}", mean[1][most])});
    rows.push_back({{"block", block + 1}, {"channels", mean[0].size()}, {"share shut", rounded(shut)}, {"share wide open", rounded(open)},
                    {"mean difference", rounded(average)}, {"channel that differs most", most}, {"its gate, upright", rounded(mean[0][most])},
                    {"its gate, turned", rounded(mean[1][most])}});
    write_gates(run, mean, block);
  }
  run.results.write("direction_gates", {{"rows", rows}});
  std::cout << fmt::format("Its nine squeeze-and-excitation blocks: gates on upright and on turned text\n{}\n", table.text());
}

/// Runs all pairs of pictures again with the gates of one block exchanged within each pair (−1: of none; blocks: of all), and counts
/// right answers.
void exchange_gates(const ladder::ChapterRun& run, const DirectionClassifier& classifier) {
  std::vector<Tensor<2>> pictures;
  for (const Style& style : styles)
    for (const std::string& text : texts()) {
      if (const Tensor<2> plain = draw_text(text); turned(plain) == plain) continue;
      pictures.push_back(draw_text(text, style.style));
      pictures.push_back(turned(pictures.back()));
    }
  const Tensor<4> input = DirectionClassifier::prepare(pictures);
  program::Table table({{"gates exchanged"}, {"right answers"}, {"probability of the right answer"}});
  Json rows = Json::array();
  for (Index exchanged = -1; exchanged <= DirectionClassifier::blocks; ++exchanged) {
    const std::vector<Direction> directions = classifier.run(input, [&](Index block, std::span<float> gates, Index channels) {
      if (block != exchanged && exchanged != DirectionClassifier::blocks) return;
      for (Index at = 0; at + 2 * channels <= std::ssize(gates); at += 2 * channels)
        std::swap_ranges(gates.begin() + at, gates.begin() + at + channels, gates.begin() + at + channels);
    });
    int right = 0;
    double sum = 0;
    for (std::size_t i = 0; i < directions.size(); ++i) {
      const auto p = static_cast<double>(i % 2 == 0 ? directions[i].upright : directions[i].turned);
      right += p > 0.5;
      sum += p;
    }
    const std::string name = exchanged < 0 ? "none" : exchanged == DirectionClassifier::blocks ? "all nine" : fmt::format("block {}", exchanged + 1);
    const std::string of = fmt::format("{} of {}", right, directions.size());
    const double mean = sum / static_cast<double>(directions.size());
    table.add({name, of, fmt::format("{:.3f}", mean)});
    rows.push_back({{"gates exchanged", name}, {"right answers", of}, {"probability of the right answer", rounded(mean)}});
  }
  run.results.write("direction_exchanged", {{"rows", rows}});
  std::cout << fmt::format("What it answers when upright text is given the gates of turned text, and the other way round\n{}\n", table.text());
}

}  // namespace

void text_direction(const ladder::ChapterRun& run, const DirectionClassifier* classifier) {
  if (classifier == nullptr) {
    std::cout << "A text direction classifier: left out, the model is not there. ./course run 06 fetches it where npm and a network are.\n\n";
    return;
  }
  std::vector<std::vector<Answers>> by_style;
  for (const Style& style : styles) by_style.push_back(answers_in(*classifier, style.style));
  show_answers(run, by_style.front());
  show_styles(run, by_style);
  show_gates(run, by_style);
  exchange_gates(run, *classifier);
}

}  // namespace attention::convolutional
