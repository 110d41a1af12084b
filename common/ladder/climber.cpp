#include "ladder/climber.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "ladder/peak_memory.hpp"
#include "machine/affinity.hpp"
#include "program/error.hpp"
#include "program/progress.hpp"

namespace attention::ladder {

namespace {

/// The line over a table, with the time that the measuring took.
class Heading {
 public:
  explicit Heading(std::string title) : title_(std::move(title)), progress_(title_) {}

  std::function<void(const std::string&)> note() {
    return [this](const std::string& what) { progress_.note(what); };
  }
  /// Takes the progress off the terminal and prints the title.
  void print() {
    progress_.clear();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
    std::cout << fmt::format("{} (measured in {:.0f} s)\n", title_, taken.count());
  }

 private:
  std::string title_;
  program::Progress progress_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

const std::string& top_rung(const AnyMechanism& mechanism) {
  const auto& rungs = mechanism.rungs();
  return std::ranges::find_if(rungs.rbegin(), rungs.rend(), [](const RungInfo& rung) { return !rung.beside && !rung.variant; })->name;
}

/// Work of a first, short look at a rung, in FLOP.
constexpr double look_flops = 2e7;

/// A rung that cannot be timed on a sample may take so many times longer than one that would be.
constexpr double patience = 3;

/// The shape with one size nearer to `whole`: the one that is furthest from it, four times as long.
Shape grown(const Shape& small, const Shape& whole) {
  std::string furthest;
  double distance = 1;
  for (const auto& [name, size] : small.values())
    if (const double ratio = static_cast<double>(whole[name]) / static_cast<double>(size); ratio > distance) furthest = name, distance = ratio;
  return furthest.empty() ? small : small.with(furthest, std::min(4 * small[furthest], whole[furthest]));
}

/// Seconds that the rung would take on `trial`, told from its rate on a small problem of the same form, with one thread: the
/// longest sizes are halved until it costs little. A rung may compute more than the problem asks for, and the more the longer
/// it is; so where the answer is not above `enough` it is looked at again on longer ones.
double predicted_seconds(const AnyMechanism& mechanism, std::size_t rung, const Trial& trial, double enough) {
  const machine::ThreadScope one(1);
  Shape small = trial.shape();
  auto part = mechanism.make(small, 1, Hardness::plain);
  while (part->cost().flops > look_flops) {
    const auto longest = std::ranges::max_element(small.values(), {}, [](const auto& size) { return size.second; });
    if (longest->second < 2) break;
    small = small.with(std::string(longest->first), longest->second / 2);
    part = mechanism.make(small, 1, Hardness::plain);
  }
  for (;;) {
    const auto start = std::chrono::steady_clock::now();
    part->run(rung);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    const double seconds = taken.count() / part->cost().flops * trial.cost().flops;
    if (seconds > enough || 4 * part->cost().flops > trial.cost().flops) return seconds;
    small = grown(small, trial.shape());
    part = mechanism.make(small, 1, Hardness::plain);
  }
}

/// Where the problem has no rows to sample: leaves the rungs out of `options` that would take too long, and gives for each
/// of them the measurement that says so.
std::vector<Measurement> leave_out_slow(const AnyMechanism& mechanism, const Trial& trial, ClimbOptions& options) {
  std::vector<Measurement> left_out;
  if (trial.rows() > 0) return left_out;
  std::vector<std::size_t> rungs = options.rungs;
  if (rungs.empty())
    for (std::size_t rung = 0; rung < mechanism.rungs().size(); ++rung) rungs.push_back(rung);
  options.rungs.clear();
  for (const std::size_t rung : rungs) {
    // Smaller problems of this form may be such as it does not compute; the climb says why it does not compute this one.
    const double seconds = trial.unable(rung).empty() ? predicted_seconds(mechanism, rung, trial, patience * options.sample_above_s) : 0;
    if (seconds <= patience * options.sample_above_s) {
      options.rungs.push_back(rung);
      continue;
    }
    const RungInfo& info = mechanism.rungs()[rung];
    Measurement m;
    m.mechanism = mechanism.name();
    m.rung = info.name;
    m.idea = info.idea;
    m.beside = info.beside;
    m.variant = info.variant;
    m.shape = trial.shape();
    m.threads = options.threads.front();
    m.status = Status::skipped;
    m.reason = fmt::format("it would take some {:.0f} s, and this problem cannot be timed on a sample", seconds);
    left_out.push_back(std::move(m));
  }
  if (options.rungs.empty())
    throw program::UserError(fmt::format("{}: every rung would take longer than {:.0f} s on {}; measure it with `bench`", mechanism.name(),
                                         patience * options.sample_above_s, trial.shape().text()));
  return left_out;
}

}  // namespace

const Measurement* find_measurement(const std::vector<Measurement>& all, std::string_view rung, int threads) {
  const auto found = std::ranges::find_if(all, [&](const Measurement& m) {
    return m.rung == rung && m.threads == threads && m.status != Status::skipped;
  });
  return found == all.end() ? nullptr : &*found;
}

std::vector<Measurement> Climber::problem(const AnyMechanism& mechanism, const std::string& name, const std::string& title,
                                          Trial& trial, ClimbOptions options) {
  return climb_and_keep(mechanism, name, title, trial, std::move(options), false);
}

std::vector<Measurement> Climber::climb_and_keep(const AnyMechanism& mechanism, const std::string& name,
                                                 const std::string& title, Trial& trial, ClimbOptions options, bool headline) {
  Heading heading(title);
  options.note = heading.note();
  options.check_threads = threads_;
  const std::vector<Measurement> left_out = leave_out_slow(mechanism, trial, options);
  std::vector<Measurement> found = climb(mechanism, trial, options, roofs_);
  found.insert(found.begin(), left_out.begin(), left_out.end());
  heading.print();
  std::cout << to_table(found) << '\n';
  problems_.push_back({{"name", name}, {"mechanism", mechanism.name()}, {"mechanism_title", mechanism.title()},
                       {"citation", mechanism.citation()}, {"headline", headline}, {"title", title},
                       {"shape", trial.shape().text()}, {"results", to_json(found)}});
  return found;
}

void Climber::standard_shapes(const AnyMechanism& mechanism) {
  const std::string& top = top_rung(mechanism);
  for (const StandardShape& standard : mechanism.standard_shapes()) {
    if (standard.bench_only) continue;
    // In quick mode the first stands for all.
    const bool headline = &standard == (quick_ ? &mechanism.standard_shapes().front() : &headline_shape(mechanism));
    if (quick_ && !headline) continue;
    const Shape shape = parse_shape(standard.text, mechanism.keys());
    const auto trial = mechanism.make(shape, 1, Hardness::plain);
    const PeakMemory peak(mechanism.name(), shape, 1);
    ClimbOptions options;
    options.threads = headline ? thread_counts(threads_) : std::vector{1};
    options.seconds = quick_ ? 0.05 : headline ? 0.25 : 0.15;
    options.sample_above_s = quick_ ? 0.2 : headline ? 0.4 : 0.25;
    options.reference_flops = quick_ ? 2e8 : 1e9;
    if (headline)
      options.peak_memory = [&](std::size_t rung, int used, PeakPlace place) { return peak.measure(mechanism.rungs()[rung].name, used, place); };
    const auto found = climb_and_keep(mechanism, standard.name,
                                      fmt::format("{}, standard shape {}", mechanism.title(), standard.name), *trial, options,
                                      headline);
    if (headline && threads_ > 1) keep(over_threads(standard.text, found), mechanism);
    const Measurement* m = find_measurement(found, top, 1);
    if (!headline || !m) continue;
    const std::string prefix = mechanism.name() + "_" + top;
    figures_.push_back({prefix + "_roof_share", m->roof_share, "1",
                        fmt::format("the {} rung's share of the {} roof on {}, one thread", top, m->roof_kind, standard.name)});
    figures_.push_back({prefix + "_roof_share_spread", m->roof_share * m->spread_s / m->median_s, "1",
                        "half the distance between its quartiles"});
    if (m->peak_extra_bytes)
      figures_.push_back({prefix + "_peak_extra_bytes", *m->peak_extra_bytes, "B",
                          fmt::format("its peak memory beyond inputs and output on {}, one thread", standard.name)});
  }
}

void Climber::sweeps(const AnyMechanism& mechanism) {
  ClimbOptions options;
  options.threads = {1};
  options.check_threads = threads_;
  options.seconds = quick_ ? 0.01 : 0.03;
  options.least_runs = 3;
  options.sample_above_s = quick_ ? 0.05 : 0.2;
  options.reference_flops = quick_ ? 2e7 : 1e8;
  for (const Sweep& sweep : mechanism.sweeps()) {
    // In quick mode the first half of the sizes.
    const Index largest = quick_ ? sweep.values[(sweep.values.size() - 1) / 2] : sweep.values.back();
    Heading heading(fmt::format("{} over {} ({})", mechanism.title(), sweep.name, sweep.base));
    options.note = heading.note();
    // Memory over the first quantity alone: it takes a process a rung and size.
    const bool memory = &sweep == &mechanism.sweeps().front() && !quick_;
    const SweepResult result = run_sweep(mechanism, sweep, largest, memory, options, roofs_);
    heading.print();
    keep(result, mechanism);
  }
}

void Climber::keep(const SweepResult& sweep, const AnyMechanism& mechanism) {
  for (const auto& fit : sweep.fits)
    std::cout << fmt::format("    {:<9} {} grows as {}^{:.2f} from {} to {}\n", fit.rung,
                             fit.quantity == "median_s" ? "time" : "extra memory", sweep.name, fit.exponent, fit.from, fit.to);
  for (const auto& crossover : sweep.crossovers)
    std::cout << fmt::format("    {} becomes faster than {} at {} = {:.0f}\n", crossover.slower_first,
                             crossover.faster_first, sweep.name, crossover.at);
  if (!sweep.fits.empty()) std::cout << '\n';
  Json json = to_json(sweep);
  json["mechanism"] = mechanism.name();
  sweeps_.push_back(std::move(json));
}

void Climber::write() const {
  results_.write("ladder", {{"problems", problems_}});
  results_.write("scaling", {{"sweeps", sweeps_}});
}

}  // namespace attention::ladder
