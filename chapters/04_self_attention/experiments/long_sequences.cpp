#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "ladder/peak_memory.hpp"
#include "ladder/publish.hpp"
#include "ladder/sample_rows.hpp"
#include "linear_attention.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "numerics/random.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "program/progress.hpp"
#include "program/table.hpp"

namespace attention::self_attention {

namespace {

constexpr Index dim = 64;
constexpr Index window = 256;
/// Weights that are stored stop where they would take more.
constexpr double most_bytes = 2e9;
/// Rows of a long sequence whose reference is computed.
constexpr Index checked_rows = 40;
/// Seconds of timed runs of each way and length; the longest sequences take two runs however long they are.
constexpr double time_each = 0.15;
constexpr int most_runs = 15;

/// One way to let every token of a sequence look at those before it. All are given the same Q, K and V.
struct Way {
  const char* name;
  const char* rung;
  bool linear;
  bool windowed;
  bool stores_weights;
};
constexpr Way all_ways[] = {{"weights stored", "simd", false, false, true},
                            {"fused", "fused", false, false, false},
                            {"window of 256", "fused", false, true, false},
                            {"linear", "simd", true, false, false}};

/// One way on its way through the rounds.
struct Runner {
  const Way& way;
  const ladder::AnyMechanism& mechanism;
  std::size_t rung;
  ladder::Shape shape;
  std::unique_ptr<ladder::Trial> trial;
  std::vector<Index> rows;  ///< that are checked; empty: all
  std::vector<double> times;
  int wanted = 0;
  std::optional<double> bytes;

  double seconds() const { return numerics::median(times); }
};

ladder::Shape shape_of(const Way& way, const ladder::AnyMechanism& mechanism, Index n) {
  const std::string text = way.linear     ? fmt::format("n={},dim={}", n, dim)
                           : way.windowed ? fmt::format("queries={},dim={},causal=1,window={}", n, dim, window)
                                          : fmt::format("queries={},dim={},causal=1", n, dim);
  return ladder::parse_shape(text, mechanism.keys());
}

std::unique_ptr<ladder::Trial> trial_of(const Way& way, Index n) {
  const LinearProblem same = make_linear(ladder::parse_shape(fmt::format("n={},dim={}", n, dim), linear_attention().keys), 1,
                                         ladder::Hardness::plain);
  if (way.linear) return ladder::make_trial(linear_attention(), same);
  dot_product::Problem p;
  p.query = same.query;
  p.key = same.key;
  p.value = same.value;
  p.scale = 1 / std::sqrt(static_cast<float>(dim));
  p.mask = way.windowed ? dot_product::Mask::sliding_window(window) : dot_product::Mask::causal();
  return ladder::make_trial(dot_product::mechanism(), std::move(p));
}

void check(Runner& runner, Index n, int threads) {
  const machine::ThreadScope all(threads);  // the reference's time is nobody's
  const ladder::CheckResult found = runner.trial->check(runner.rung, runner.rows);
  if (!found.passed)
    throw program::CheckFailed(fmt::format("long sequences: {} at n = {} is wrong: {}", runner.way.name, n, found.fault));
}

double run_once(Runner& runner) {
  const auto start = std::chrono::steady_clock::now();
  runner.trial->run(runner.rung);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// All ways on one length, their runs interleaved, one thread.
std::vector<Runner> measure(const std::vector<ladder::MechanismPtr>& mechanisms, Index n, int threads, program::Progress& progress) {
  std::vector<Runner> runners;
  for (const Way& way : all_ways) {
    const ladder::AnyMechanism& mechanism = *mechanisms[way.linear ? 1 : 0];
    Runner runner{way, mechanism, mechanism.rung_index(way.rung), shape_of(way, mechanism, n), trial_of(way, n), {}, {}, 0, {}};
    const auto needed = static_cast<double>(runner.trial->workspace(runner.rung));
    if (way.stores_weights && needed > std::min(most_bytes, 0.5 * static_cast<double>(machine::memory().available_bytes))) continue;
    if (!way.linear && n > checked_rows) runner.rows = ladder::sample_rows(n, checked_rows, mechanism.tile_edges());
    runners.push_back(std::move(runner));
  }
  int rounds = 0;
  for (Runner& runner : runners) {
    progress.note(fmt::format("n = {}: {}", n, runner.way.name));
    runner.trial->spoil();
    const double first = run_once(runner);
    check(runner, n, threads);
    const auto alone = ladder::PeakMemory(runner.mechanism.name(), runner.shape, 1).measure(runner.way.rung, 1);
    if (alone) runner.bytes = alone->bytes;
    runner.wanted = std::clamp(static_cast<int>(time_each / first), 3, most_runs);
    // What the first run of a long one pays for fresh memory does not show; nor does it whose process the run had.
    if (first > 0.5) {
      runner.times.push_back(first);
      if (alone) runner.times.push_back(alone->seconds);
      runner.wanted = alone ? 0 : 1;
    }
    rounds = std::max(rounds, runner.wanted);
  }
  numerics::Random random(static_cast<std::uint64_t>(n));
  for (int round = 0; round < rounds; ++round) {
    std::vector<Runner*> order;
    for (Runner& runner : runners)
      if (round < runner.wanted) order.push_back(&runner);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[static_cast<std::size_t>(random.bits() % i)]);
    for (Runner* runner : order) {
      progress.note(fmt::format("n = {}: {}, run {} of {}", n, runner->way.name, round + 1, runner->wanted));
      const bool last = round + 1 == runner->wanted;
      if (last) runner->trial->spoil();
      runner->times.push_back(run_once(*runner));
      if (last) check(*runner, n, threads);
    }
  }
  return runners;
}

/// Times of two ways over n, where both were measured.
struct Pair {
  double n, first, second;
};

/// Ways nearer to each other than this are equally fast: a short sequence is all window.
const double clear_lead = std::log(1.1);

/// From which n on the first is faster, by a tenth or more, at all lengths measured: interpolated in the logarithms. Nothing where
/// it is not at the longest.
std::optional<double> faster_from(const std::vector<Pair>& pairs) {
  std::optional<double> from;
  for (std::size_t i = pairs.size(); i-- > 0;) {
    const double lead = std::log(pairs[i].second / pairs[i].first) - clear_lead;
    if (lead <= 0) {
      if (i + 1 == pairs.size()) return {};
      const double after = std::log(pairs[i + 1].second / pairs[i + 1].first) - clear_lead;
      return std::exp(std::lerp(std::log(pairs[i].n), std::log(pairs[i + 1].n), -lead / (after - lead)));
    }
    from = pairs[i].n;
  }
  return from;
}

}  // namespace

void long_sequences(const Context& c) {
  const Index longest = c.quick ? 4096 : 65536;
  const std::vector<ladder::MechanismPtr> mechanisms{ladder::publish(dot_product::mechanism()), linear_mechanism()};
  const machine::ThreadScope one(1);
  program::Progress progress("Long sequences");
  const auto start = std::chrono::steady_clock::now();

  program::Table table({{"n"}, {"way"}, {"time"}, {"a token"}, {"extra memory"}});
  Json rows = Json::array();
  Json series = Json::array();
  std::vector<Pair> linear_pairs, window_pairs;
  Index last_stored = 0;
  constexpr Index shortest = 64;
  for (Index n = shortest; n <= longest; n *= 2) {
    const std::vector<Runner> runners = measure(mechanisms, n, c.threads, progress);
    Json row = {{"n", n}};
    for (const Way& way : all_ways)
      for (const char* unit : {"ms", "MB"}) row[fmt::format("{}, {}", way.name, unit)] = nullptr;
    double fused = 0;
    for (const Runner& runner : runners) {
      const double seconds = runner.seconds();
      const std::string name = runner.way.name;
      row[name + ", ms"] = 1e3 * seconds;
      if (runner.bytes) row[name + ", MB"] = 1e-6 * *runner.bytes;
      series.push_back({{"n", n}, {"way", name}, {"seconds", seconds}, {"spread_s", numerics::spread(runner.times)},
                        {"runs", runner.times.size()}, {"extra_bytes", runner.bytes ? Json(*runner.bytes) : Json()}});
      table.add({fmt::format("{}", n), name, ladder::format_seconds(seconds), ladder::format_seconds(seconds / static_cast<double>(n)),
                 runner.bytes ? ladder::format_bytes(*runner.bytes) : ""});
      if (name == "fused") fused = seconds;
      if (runner.way.stores_weights) last_stored = n;
      if (runner.way.linear) linear_pairs.push_back({static_cast<double>(n), seconds, fused});
      if (runner.way.windowed) window_pairs.push_back({static_cast<double>(n), seconds, fused});
    }
    rows.push_back(std::move(row));
  }
  progress.clear();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  std::cout << fmt::format("Long sequences: one head of {} columns, causal, one thread (measured in {:.0f} s)\n{}", dim, taken.count(), table.text());
  if (last_stored < longest)
    std::cout << fmt::format("weights stored: not beyond n = {}, where they would take more than {} or half of the free memory\n", last_stored,
                             ladder::format_bytes(most_bytes));
  std::cout << '\n';
  c.results.write("long_sequences", {{"dim", dim}, {"window", window}, {"threads", 1}, {"most_bytes", most_bytes},
                                     {"last_stored", last_stored}, {"rows", rows}, {"series", series}});

  if (const auto n = faster_from(linear_pairs))
    c.figure("linear_faster_from", *n, "tokens", fmt::format("from this length on (the shortest measured is {}) linear attention is faster than fused softmax attention by a tenth or more, one head of 64, one thread", shortest));
  if (const auto n = faster_from(window_pairs))
    c.figure("window_faster_from", *n, "tokens", "from this length on a window of 256 is faster than all keys before by a tenth or more, both fused");
  c.figure("linear_over_fused", linear_pairs.back().second / linear_pairs.back().first, "times",
           fmt::format("as fast as fused softmax attention is linear attention at n = {}", longest));
}

}  // namespace attention::self_attention
