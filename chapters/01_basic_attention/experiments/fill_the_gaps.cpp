#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "experiments/experiments.hpp"
#include "learned_pooling.hpp"
#include "weeks.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

/// Weights of all queries over all keys, one way to look.
struct Look {
  std::string weights;    ///< how they are made
  double parameter = 0;   ///< bandwidth or gain; 0 where there is none
  Tensor<2> chosen;       ///< [weeks for choosing, known weeks]
  Tensor<2> test;
  double chosen_error = 0;  ///< root of the mean square, ppm
  double test_error = 0;
  double perplexity = 0;  ///< exp of the mean entropy of a test row: among how many weeks a look is shared
};

/// Σ_j weights_ij residual_j against the residual of the weeks that were asked for.
double error_of(const Tensor<2>& weights, const Weeks& weeks, const std::vector<std::size_t>& asked) {
  double squares = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < weeks.known.size(); ++j)
      sum += static_cast<double>(weights(i, j)) * weeks.residual[weeks.known[j]];
    squares += (sum - weeks.residual[asked[i]]) * (sum - weeks.residual[asked[i]]);
  }
  return std::sqrt(squares / static_cast<double>(asked.size()));
}

double perplexity(const Tensor<2>& weights) {
  double entropy = 0;
  for (const float w : weights)
    if (w > 0) entropy -= static_cast<double>(w) * std::log(static_cast<double>(w));
  return std::exp(entropy / static_cast<double>(weights.shape()[0]));
}

/// weights ∝ exp(−|q − k|² / (2 bandwidth²)): Nadaraya–Watson regression.
Tensor<2> gaussian(const Tensor<2>& query, const Tensor<2>& key, double bandwidth) {
  Tensor<2> weights = tensor::empty<2>({query.shape()[0], key.shape()[0]});
  std::vector<double> row(key.shape()[0]);
  for (std::size_t i = 0; i < query.shape()[0]; ++i) {
    double largest = -1e300;
    for (std::size_t j = 0; j < row.size(); ++j) {
      double squares = 0;
      for (std::size_t c = 0; c < static_cast<std::size_t>(features); ++c) {
        const double difference = static_cast<double>(query(i, c)) - static_cast<double>(key(j, c));
        squares += difference * difference;
      }
      row[j] = -squares / (2 * bandwidth * bandwidth);
      largest = std::max(largest, row[j]);
    }
    double total = 0;
    for (double& x : row) total += x = std::exp(x - largest);
    for (std::size_t j = 0; j < row.size(); ++j) weights(i, j) = static_cast<float>(row[j] / total);
  }
  return weights;
}

Tensor<2> additive_weights(Problem& p, const Tensor<2>& query) {
  p.query = query;
  Output out;
  shared(p, out);
  return out.weights;
}

/// The weights of one test block, the known weeks of some years around it put together four by four.
void write_record(const Context& c, const Weeks& weeks, const std::vector<const Look*>& looks) {
  const auto& series = c.data;
  // The block in the middle of the test weeks: those weeks that follow each other.
  const std::size_t middle = weeks.test.size() / 2;
  const auto block_of = [&](std::size_t i) { return series.week[weeks.test[i]] / 13; };
  std::vector<std::size_t> queries;
  for (std::size_t i = 0; i < weeks.test.size(); ++i)
    if (block_of(i) == block_of(middle)) queries.push_back(i);

  constexpr double reach = 2.5;  // years
  const double centre = series.year[weeks.test[middle]];
  std::vector<std::string> labels;
  std::vector<std::vector<std::size_t>> groups;
  Index last = -1;
  for (std::size_t j = 0; j < weeks.known.size(); ++j) {
    const std::size_t at = weeks.known[j];
    if (std::abs(series.year[at] - centre) > reach) continue;
    if (series.week[at] / 4 != last) {
      last = series.week[at] / 4;
      groups.emplace_back();
      labels.push_back(series.date[at]);
    }
    groups.back().push_back(j);
  }

  record::AttentionRecord record;
  std::vector<std::string> ways;
  for (const Look* look : looks) ways.push_back(look->weights);
  record.title = fmt::format("Weeks that were held out, and the known weeks they look at, from four weeks each ({})", fmt::join(ways, "; "));
  record.real = series.real;
  std::vector<std::string> names;
  for (const std::size_t i : queries) names.push_back(series.date[weeks.test[i]]);
  record.queries = record::tokens(names);
  record.keys = record::tokens(labels);
  record.machine = c.results.machine();
  record.weights = tensor::empty<4>({1, looks.size(), queries.size(), groups.size()});
  float* to = record.weights.data();
  for (const Look* look : looks)
    for (const std::size_t i : queries)
      for (const auto& group : groups) {
        float sum = 0;
        for (const std::size_t j : group) sum += look->test(i, j);
        *to++ = sum;
      }
  record::write(record, c.results.folder(), "weeks");
}

}  // namespace

void fill_the_gaps(const Context& c) {
  const Weeks weeks = split_weeks(c.data);
  const Tensor<2> key = week_rows(c.data, weeks.known);
  const Tensor<2> chosen = week_rows(c.data, weeks.chosen);
  const Tensor<2> test = week_rows(c.data, weeks.test);

  std::vector<Look> looks;
  const auto add = [&](std::string name, double parameter, Tensor<2> on_chosen, Tensor<2> on_test) {
    Look look{std::move(name), parameter, std::move(on_chosen), std::move(on_test)};
    look.chosen_error = error_of(look.chosen, weeks, weeks.chosen);
    look.test_error = error_of(look.test, weeks, weeks.test);
    look.perplexity = perplexity(look.test);
    looks.push_back(std::move(look));
  };
  const auto uniform = [&](const Tensor<2>& query) {
    Tensor<2> weights = tensor::empty<2>({query.shape()[0], key.shape()[0]});
    weights.fill(1 / static_cast<float>(key.shape()[0]));
    return weights;
  };
  add("uniform", 0, uniform(chosen), uniform(test));

  Problem p;
  p.key = key;
  p.value = residual_rows(weeks, weeks.known);
  set_at_random(p, 128, 1);
  add("additive, random", 0, additive_weights(p, chosen), additive_weights(p, test));
  for (const double bandwidth : {0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56})
    add("Gaussian kernel", bandwidth, gaussian(chosen, key, bandwidth), gaussian(test, key, bandwidth));
  for (const float gain : {0.25F, 0.5F, 1.F, 2.F, 4.F, 8.F, 16.F, 32.F}) {
    set_by_hand(p, gain);
    add("additive, by hand", static_cast<double>(gain), additive_weights(p, chosen), additive_weights(p, test));
  }

  const std::filesystem::path weights = c.trained.weights("co2_pooling");
  // Weights belong to the weeks that they were trained on.
  const bool learned = !weights.empty() && c.data.real;
  if (learned) {
    load_pooling(weights, c.data).set(p);
    add("additive, learned", 0, additive_weights(p, chosen), additive_weights(p, test));
  } else {
    std::cout << "There are no trained weights for these weeks; ./course train 01 makes them.\n";
  }

  const auto best = [&](const std::string& name) {
    const Look* found = nullptr;
    for (const Look& look : looks)
      if (look.weights == name && (!found || look.chosen_error < found->chosen_error)) found = &look;
    return found;
  };
  const Look* kernel = best("Gaussian kernel");
  const Look* by_hand = best("additive, by hand");
  const Look* trained = best("additive, learned");

  program::Table table({{"weights"}, {"bandwidth or gain"}, {"error, choosing, ppm"}, {"error, test, ppm"}, {"perplexity"}, {"picked"}});
  Json rows = Json::array();
  Json points = Json::array();
  for (const Look& look : looks) {
    const bool picked = &look == kernel || &look == by_hand;
    table.add({look.weights, look.parameter > 0 ? fmt::format("{:g}", look.parameter) : "", fmt::format("{:.3f}", look.chosen_error),
               fmt::format("{:.3f}", look.test_error), fmt::format("{:.1f}", look.perplexity), picked ? "yes" : ""});
    rows.push_back({{"weights", look.weights}, {"bandwidth_or_gain", look.parameter > 0 ? Json(look.parameter) : Json()},
                    {"error_choosing_ppm", look.chosen_error}, {"error_test_ppm", look.test_error},
                    {"perplexity_weeks", look.perplexity}, {"picked", picked ? "yes" : ""}});
    if (look.parameter > 0)
      points.push_back({{"weights", look.weights}, {"parameter", look.parameter}, {"error_choosing", look.chosen_error},
                        {"error_test", look.test_error}, {"perplexity", look.perplexity}, {"picked", picked}});
  }
  std::cout << fmt::format("\n{} weeks held out, filled in from {} known weeks ({} more for choosing){}\n{}\n", weeks.test.size(),
                           weeks.known.size(), weeks.chosen.size(), c.data.real ? "" : " (generated stand-in data)", table.text());
  c.results.write("pooling_table", {{"rows", rows}});
  c.results.write("pooling", {{"known", weeks.known.size()}, {"chosen", weeks.chosen.size()}, {"test", weeks.test.size()},
                              {"missing", c.data.missing}, {"uniform_error_test", looks.front().test_error}, {"rows", points}});

  // A curve to look at: what was held out, and what was filled in.
  Json curve = Json::array();
  const auto filled = [&](const Look& look, std::size_t i) {
    double sum = 0;
    for (std::size_t j = 0; j < weeks.known.size(); ++j) sum += static_cast<double>(look.test(i, j)) * weeks.residual[weeks.known[j]];
    return sum;
  };
  for (std::size_t i = 0; i < weeks.test.size(); ++i)
    curve.push_back({{"year", c.data.year[weeks.test[i]]}, {"measured", weeks.residual[weeks.test[i]]},
                     {"uniform", filled(looks.front(), i)}, {"kernel", filled(*kernel, i)}, {"by_hand", filled(*by_hand, i)},
                     {"learned", trained ? Json(filled(*trained, i)) : Json()}});
  c.results.write("filled_in", {{"rows", curve}});

  c.figure("uniform_error_ppm", looks.front().test_error, "ppm", "error on the held-out weeks with uniform weights");
  c.figure("random_error_ppm", looks[1].test_error, "ppm", "the same with additive attention, parameters drawn at random");
  c.figure("kernel_error_ppm", kernel->test_error, "ppm",
           fmt::format("the same with a Gaussian kernel of bandwidth {:g}, picked on other weeks", kernel->parameter));
  c.figure("by_hand_error_ppm", by_hand->test_error, "ppm",
           fmt::format("the same with additive attention set by hand, gain {:g}, picked on other weeks", by_hand->parameter));
  if (trained)
    c.figure("learned_error_ppm", trained->test_error, "ppm", "the same with additive attention that has learnt, its training stopped by other weeks");
  std::vector<const Look*> drawn{kernel, by_hand};
  if (trained) drawn.push_back(trained);
  write_record(c, weeks, drawn);
}

}  // namespace attention::additive
