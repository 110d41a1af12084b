#include "explanation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "numerics/statistics.hpp"
#include "program/table.hpp"
#include "program/terminal.hpp"
#include "program/words_by_weight.hpp"

namespace attention::visualising {

namespace {

constexpr std::uint64_t seed = 5;
/// Texts of explanation.json that are there with all their words and weights.
constexpr std::size_t shown_texts = 12;
/// A divergence from which two weightings tell different stories: half of what there can be.
constexpr double far_apart = 0.5;

using List = std::vector<double>;
using Findings = std::vector<TextFindings>;

double mean(const List& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// A figure of each text; those that have none are left out.
List values_of(const Findings& all, const std::function<std::optional<double>(const TextFindings&)>& figure) {
  List values;
  for (const TextFindings& f : all)
    if (const auto value = figure(f)) values.push_back(*value);
  return values;
}

Json value_or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json row_of(const record::EvidenceText& text, const TextFindings& f) {
  return {{"words", text.words.size()},
          {"tau_leave_one_out", value_or_null(f.leave_one_out.tau)},
          {"tau_gradient", value_or_null(f.gradient.tau)},
          {"tau_between", value_or_null(f.between.tau)},
          {"divergence", f.other.divergence},
          {"variation", f.other.variation},
          {"equal_variation", f.equal_variation},
          {"shuffled_variation", f.shuffled_variation}};
}

/// Of handy length, the ones whose other weights are farthest.
std::vector<std::size_t> to_show(const record::EvidenceRecord& record, const Findings& all) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all.size() <= shown_texts ||
        (record.texts[i].words.size() >= 6 && record.texts[i].words.size() <= 14))
      order.push_back(i);
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return all[i].other.divergence; });
  order.resize(std::min(order.size(), shown_texts));
  return order;
}

}  // namespace

std::vector<ladder::Figure> report_explanation(const record::EvidenceRecord& record,
                                               const ladder::Results& results, const std::string& name,
                                               const std::string& prefix, std::ostream& out) {
  const AdversarySettings settings;
  const Findings all = examine(record, settings, seed);
  std::vector<ladder::Figure> figures;
  program::Table table({"of the texts", "mean or share", "meaning"});
  Json summary = Json::array();
  const auto figure = [&](const char* what, double value, const std::string& unit,
                          const std::string& meaning) {
    figures.push_back({prefix + what, value, unit, meaning});
    table.add(
        {what, unit == "1" ? fmt::format("{:.1f} %", 100 * value) : fmt::format("{:.3f}", value), meaning});
    summary.push_back({{"figure", what}, {"value", value}, {"unit", unit}, {"meaning", meaning}});
  };
  using F = const TextFindings&;
  figure("tau_leave_one_out", mean(values_of(all, [](F f) { return f.leave_one_out.tau; })), "tau",
         "Kendall's tau of weights and leave-one-out effects (1 the same order, 0 no relation)");
  figure("tau_gradient", mean(values_of(all, [](F f) { return f.gradient.tau; })), "tau",
         "Kendall's tau of weights and gradient x input");
  figure("tau_between", mean(values_of(all, [](F f) { return f.between.tau; })), "tau",
         "Kendall's tau of leave-one-out effects and gradient x input: what agreement to hope for");
  figure("rho_leave_one_out", mean(values_of(all, [](F f) { return f.leave_one_out.rho; })), "rho",
         "Spearman's rho of weights and leave-one-out effects");
  figure("rho_gradient", mean(values_of(all, [](F f) { return f.gradient.rho; })), "rho",
         "Spearman's rho of weights and gradient x input");
  double chance = 0;
  for (const record::EvidenceText& text : record.texts) chance += 1 / static_cast<double>(text.words.size());
  const auto share = [&](const std::function<bool(F)>& holds) {
    return static_cast<double>(std::ranges::count_if(all, holds)) / static_cast<double>(all.size());
  };
  figure("same_top", share([](F f) { return f.same_top; }), "1",
         "share of texts whose word of the largest weight is the one whose absence moves the answer most");
  figure("same_top_by_chance", chance / static_cast<double>(all.size()), "1",
         "the same for a word drawn by chance");
  figure("adversary_divergence", numerics::median(values_of(all, [](F f) { return f.other.divergence; })),
         "bit",
         fmt::format("how far other weights with the same answer (total variation <= {}) lie, median "
                     "(Jensen-Shannon, 1 at most)",
                     settings.epsilon));
  figure("adversary_far", share([](F f) { return f.other.divergence >= far_apart; }), "1",
         fmt::format("share of texts with such weights {} bit away or more", far_apart));
  figure("equal_variation", mean(values_of(all, [](F f) { return f.equal_variation; })), "of 1",
         "total variation of the answer under equal weights, mean");
  figure("shuffled_variation", mean(values_of(all, [](F f) { return f.shuffled_variation; })), "of 1",
         "total variation of the answer under shuffled weights, median of 100 shuffles, mean");
  figure("single_same", mean(values_of(all, [](F f) { return f.single_same; })), "1",
         "share of the words of a text whose state alone, with all the weight, tells the same class, mean");
  figure("accuracy", share([](F f) { return f.right; }), "1", "share of texts whose class is told rightly");
  figure("accuracy_equal", share([](F f) { return f.right_equal; }), "1",
         "the same net with equal weights in place of its own");
  out << fmt::format("Do the weights explain the answers? {}\n{}\n", record.title, table.text());

  Json rows = Json::array(), shown = Json::array();
  for (std::size_t i = 0; i < all.size(); ++i) rows.push_back(row_of(record.texts[i], all[i]));
  const bool colour = program::wants_colour(program::Stream::output);
  const std::vector<std::size_t> order = to_show(record, all);
  for (const std::size_t i : order) {
    const record::EvidenceText& text = record.texts[i];
    Json item = row_of(text, all[i]);
    item["words"] = text.words;
    item["class"] = record.classes[text.label];
    item["weights"] = text.attention;
    item["other"] = all[i].other.weights;
    item["leave_one_out"] = text.leave_one_out;
    item["gradient"] = text.gradient;
    shown.push_back(item);
  }
  for (const std::size_t i : std::vector<std::size_t>(
           order.begin(), order.begin() + std::min<std::ptrdiff_t>(3, std::ssize(order)))) {
    const record::EvidenceText& text = record.texts[i];
    const std::vector<float> other(all[i].other.weights.begin(), all[i].other.weights.end());
    out << fmt::format(
        "  its weights    {}\n  the same said  {}\n  ({:.2f} bit apart, the answer {:.3f})\n\n",
        program::words_by_weight(text.words, text.attention, colour),
        program::words_by_weight(text.words, other, colour), all[i].other.divergence, all[i].other.variation);
  }
  results.write(name, {{"title", record.title},
                       {"epsilon", settings.epsilon},
                       {"rows", summary},
                       {"texts", rows},
                       {"shown", shown}});
  return figures;
}

}  // namespace attention::visualising
