#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>

#include "experiments/experiments.hpp"
#include "ladder/measurement.hpp"
#include "machine/affinity.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "program/table.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

/// The same vector for every query: the mean of the values.
void mean_pooling(const Problem& p, std::vector<float>& mean) {
  std::fill(mean.begin(), mean.end(), 0.F);
  const Index value_dim = p.value_dim();
  for (Index j = 0; j < p.keys(); ++j)
    for (Index c = 0; c < value_dim; ++c) mean[static_cast<std::size_t>(c)] += p.value.data()[j * value_dim + c];
  for (float& x : mean) x /= static_cast<float>(p.keys());
}

/// Median seconds of a call; short calls are repeated until the clock can tell.
template <class Work>
double seconds_of(double budget, Work work) {
  using Clock = std::chrono::steady_clock;
  const auto once = [&](int calls) {
    const auto start = Clock::now();
    for (int i = 0; i < calls; ++i) work();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  once(1);
  const int calls = std::max(1, static_cast<int>(2e-4 / std::max(once(1), 1e-9)));
  std::vector<double> times;
  double spent = 0;
  while (times.size() < 5 || (spent < budget && times.size() < 99)) {
    times.push_back(once(calls) / calls);
    spent += times.back() * calls;
  }
  return numerics::median(times);
}

/// Values of tanh in the formula, however a rung comes by them.
double tanhs(const Problem& p) { return static_cast<double>(p.queries() * p.keys() * p.hidden()); }

}  // namespace

void cost_over_length(const Context& c) {
  const machine::ThreadScope one(1);
  program::Table table({{"length"}, {"mean, time"}, {"one query, time"}, {"n queries, time"}, {"mean, FLOP"}, {"one query, FLOP"},
                        {"one query, tanh"}, {"n queries, FLOP"}, {"n queries, tanh"}});
  Json rows = Json::array();
  Json points = Json::array();
  const Index longest = c.quick ? 512 : 2048;
  const double budget = c.quick ? 0.005 : 0.05;
  for (Index n = 64; n <= longest; n *= 2) {
    const auto problem = [&](Index queries) {
      return make(ladder::parse_shape(fmt::format("queries={},keys={}", queries, n), mechanism().keys), 1, ladder::Hardness::plain);
    };
    const Problem one = problem(1);
    const Problem all = problem(n);
    Output out;
    std::vector<float> mean(static_cast<std::size_t>(one.value_dim()));
    const double mean_s = seconds_of(budget, [&] { mean_pooling(one, mean); });
    const double one_s = seconds_of(budget, [&] { fused(one, out); });
    const double all_s = seconds_of(budget, [&] { fused(all, out); });
    // A mean that is right, else its time means nothing.
    double exact = 0;
    for (Index j = 0; j < n; ++j) exact += static_cast<double>(one.value.data()[j * one.value_dim()]) / static_cast<double>(n);
    if (!(std::abs(static_cast<double>(mean[0]) - exact) < 1e-5)) throw program::CheckFailed("mean pooling is wrong");

    const double mean_flops = static_cast<double>(n * one.value_dim());
    const ladder::Cost one_cost = cost(one);
    const ladder::Cost all_cost = cost(all);
    table.add({fmt::format("{}", n), ladder::format_seconds(mean_s), ladder::format_seconds(one_s), ladder::format_seconds(all_s),
               fmt::format("{:.2g}", mean_flops), fmt::format("{:.2g}", one_cost.flops), fmt::format("{:.2g}", tanhs(one)),
               fmt::format("{:.2g}", all_cost.flops), fmt::format("{:.2g}", tanhs(all))});
    rows.push_back({{"length", n}, {"mean_µs", 1e6 * mean_s}, {"one_query_µs", 1e6 * one_s}, {"n_queries_µs", 1e6 * all_s},
                    {"mean_MFLOP", 1e-6 * mean_flops}, {"one_query_MFLOP", 1e-6 * one_cost.flops},
                    {"one_query_million_tanh", 1e-6 * tanhs(one)}, {"n_queries_MFLOP", 1e-6 * all_cost.flops},
                    {"n_queries_million_tanh", 1e-6 * tanhs(all)}});
    for (const auto& [way, seconds, flops] : {std::tuple{"mean", mean_s, mean_flops}, std::tuple{"attention, one query", one_s, one_cost.flops},
                                              std::tuple{"attention, n queries", all_s, all_cost.flops}})
      points.push_back({{"length", n}, {"way", way}, {"seconds", seconds}, {"flops", flops}});
    if (n == longest) {
      c.figure("one_query_over_mean", one_s / mean_s, "times",
               fmt::format("time of one additive query over the time of the mean, {} keys, one thread", n));
      c.figure("n_queries_over_mean", all_s / mean_s, "times", "the same for as many queries as keys");
    }
  }
  std::cout << fmt::format("Mean pooling and additive attention (fused), hidden = 128, value_dim = 64, one thread\n{}\n", table.text());
  c.results.write("cost_table", {{"rows", rows}});
  c.results.write("cost", {{"rows", points}});
}

}  // namespace attention::additive
