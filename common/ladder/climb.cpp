#include "ladder/climb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <new>
#include <numeric>

#include "ladder/roof.hpp"
#include "ladder/sample_rows.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "numerics/random.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"

namespace attention::ladder {

namespace {

using Clock = std::chrono::steady_clock;

/// Rows of a first, short look at a slow rung, for each thread that it uses. A sample is this many or a power of four more: as
/// many as take long enough, which for a tiled rung is many tiles.
constexpr Index smallest_sample = 8;

/// So many rows are checked, however much their reference costs.
constexpr Index least_checked = 32;

/// An exponential of the reference, in float64 and one at a time, costs as much time as so many additions.
constexpr double reference_exp_flops = 20;

/// So often the roofs are measured again where one is broken.
constexpr int looks_at_broken_roof = 20;

/// A run of so many seconds is long: the first one counts.
constexpr double long_run_s = 0.5;

double seconds_of(const std::function<void()>& work) {
  const Clock::time_point start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.) / static_cast<double>(values.size());
}

/// A problem, whole or cut down to some rows, and the rows of it that are checked.
struct Stage {
  std::unique_ptr<Trial> owned;
  Trial* trial = nullptr;
  std::vector<std::unique_ptr<Trial>> copies;  ///< the same problem elsewhere in memory, for memory-bound work
  std::vector<Index> checked;                  ///< empty: all
  double part = 1;                             ///< of the whole problem's work

  Trial& turn(std::size_t run) {
    const std::size_t turn = run % (copies.size() + 1);
    return turn == 0 ? *trial : *copies[turn - 1];
  }
};

/// One rung, or one peer, on its way through the rounds.
struct Runner {
  std::size_t rung = 0;
  std::unique_ptr<Peer> peer;  ///< runs in the rung's place
  std::size_t untimed = 0;     ///< runs of the peer before the timed ones
  Stage* stage = nullptr;
  Measurement result;
  double once = 0;     ///< seconds of one run of the stage, whose answer then stands; 0: not run yet
  int wanted = 0;      ///< timed runs in the rounds
  int done = 0;        ///< of these
  int repeat = 1;      ///< calls a timed run, so that it is long enough for the clock
  std::vector<double> times;  ///< of the stage, a call
};

class Climb {
 public:
  Climb(const AnyMechanism& mechanism, Trial& trial, const ClimbOptions& options, machine::Roofs& roofs)
      : mechanism_(mechanism), trial_(trial), options_(options), roofs_(roofs), cost_(trial.cost()) {
    whole_.trial = &trial;
    choose_checked(whole_);
    // Work that the memory bounds finds nothing of the run before in the caches: it goes round over copies.
    const double cold = 8 * static_cast<double>(machine::caches().last_level_bytes());
    if (binding_roof(cost_, roofs_.values(1), true).kind == "bandwidth") {
      from_memory_ = true;
      for (double held = cost_.bytes; held < cold && whole_.copies.size() < 4096; held += cost_.bytes)
        whole_.copies.push_back(trial.clone());
      // Their answers' memory is there before the first timed run: what the system does with a page at its first touch is no rung's work.
      for (const auto& copy : whole_.copies) copy->prepare();
    }
  }

  std::vector<Measurement> run() {
    std::vector<Measurement> all;
    for (const int threads : options_.threads) {
      machine::use_threads(threads);
      threads_ = threads;
      refreshed_ = {};
      refreshing_ = {};
      std::vector<Runner> runners = prepare();
      time(runners);
      for (Runner& runner : runners) finish(runner);
      add_speedups(runners);
      for (Runner& runner : runners) all.push_back(std::move(runner.result));
    }
    return all;
  }

 private:
  void note(const std::string& text) const {
    if (options_.note) options_.note(text);
  }

  void choose_checked(Stage& stage) const {
    const Index rows = stage.trial->rows();
    if (rows == 0) return;
    const Cost cost = stage.trial->cost();
    const double affordable = options_.reference_flops / ((cost.flops + reference_exp_flops * cost.exps) / static_cast<double>(rows));
    // The reference stores in float64 what the hungriest rung stores in float32.
    double hungriest = 1;
    for (std::size_t rung = 0; rung < mechanism_.rungs().size(); ++rung)
      hungriest = std::max(hungriest, static_cast<double>(stage.trial->workspace(rung)) / static_cast<double>(rows));
    const double fits = 0.1 * static_cast<double>(machine::memory().available_bytes) / hungriest;
    const Index count = std::max<Index>(
        1, static_cast<Index>(std::min({std::max(affordable, static_cast<double>(least_checked)), fits, 1e9})));
    if (count < rows) stage.checked = sample_rows(rows, count, mechanism_.tile_edges());
  }

  /// The stage with about `rows` rows; made when it is first asked for.
  Stage& sample(Index rows) {
    Stage& stage = samples_[rows];
    if (!stage.trial) {
      const std::vector<Index> chosen = sample_rows(trial_.rows(), rows, mechanism_.tile_edges());
      stage.owned = trial_.take_rows(chosen);
      stage.trial = stage.owned.get();
      // Not the share of the rows: some work may be needed however few are asked for.
      stage.part = stage.trial->cost().flops / cost_.flops;
      choose_checked(stage);
    }
    return stage;
  }

  void run_once(Stage& stage, std::size_t rung) const {
    try {
      stage.trial->run(rung);
    } catch (const std::bad_alloc&) {
      throw program::UserError(fmt::format("{} / {}: out of memory; try a smaller shape", mechanism_.name(),
                                           mechanism_.rungs()[rung].name));
    }
  }

  /// Seconds of a run whose answer is the rung's own. The first may have paid for fresh memory: where runs are short, a second
  /// one tells their length.
  double first_run(Stage& stage, std::size_t rung) const {
    stage.trial->spoil();
    const double first = seconds_of([&] { run_once(stage, rung); });
    return first > 0.02 ? first : seconds_of([&] { run_once(stage, rung); });
  }

  /// Runs the rung on few rows, then on more, until its time on all of them can be told; chooses the rows to time.
  void choose_stage(Runner& runner) {
    runner.stage = &whole_;
    runner.once = 0;
    if (std::ranges::count(options_.whole, runner.rung) > 0) return;
    const Index rows = trial_.rows();
    const RungInfo& rung = mechanism_.rungs()[runner.rung];
    const int threads = rung.parallel ? threads_ : 1;
    const Index smallest = smallest_sample * threads;
    // Many rows, or much work: what a rung computes may be far more than what the problem asks for.
    if (rows > 2 * smallest && (rows >= 8 * smallest || cost_.flops > 1e8)) {
      for (Index count = smallest; count < rows; count *= 4) {
        Stage& stage = sample(count);
        runner.once = first_run(stage, runner.rung);
        const double predicted = runner.once / stage.part;
        if (predicted <= options_.sample_above_s) {
          runner.stage = &whole_;
          runner.once = 0;
          break;
        }
        runner.stage = &stage;
        // A blocked rung is slow on few rows: judge it by a run that is not short.
        if (runner.once > 0.1 * options_.sample_above_s) break;
      }
    }
    if (runner.stage == &whole_) return;
    // A sample worth up to half a second, in which no thread is left without a block of rows.
    const double target = std::min(0.5, 0.5 * options_.sample_above_s) / runner.once * static_cast<double>(runner.stage->trial->rows());
    Index count = smallest;
    while (count * 4 <= static_cast<Index>(target) && count * 4 < rows) count *= 4;
    while (count < rung.block_rows * threads && count * 2 < rows) count *= 2;
    if (runner.stage == &sample(count)) return;
    runner.stage = &sample(count);
    runner.once = 0;
  }

  std::vector<Runner> prepare() {
    std::vector<Runner> runners;
    const std::vector<RungInfo>& rungs = mechanism_.rungs();
    std::vector<std::size_t> wanted = options_.rungs;
    if (wanted.empty())
      for (std::size_t i = 0; i < rungs.size(); ++i) wanted.push_back(i);
    for (const std::size_t rung : wanted) {
      Runner runner;
      runner.rung = rung;
      Measurement& m = runner.result;
      m.mechanism = mechanism_.name();
      m.rung = rungs[rung].name;
      m.idea = rungs[rung].idea;
      m.beside = rungs[rung].beside;
      m.variant = rungs[rung].variant;
      m.shape = trial_.shape();
      m.threads = threads_;
      const bool measured_alone = threads_ != 1 && std::ranges::count(options_.threads, 1) > 0;
      if (!rungs[rung].parallel && measured_alone) {
        m.status = Status::skipped;
        m.reason = "it uses one thread only, and has been measured with one";
      } else if (std::string reason = trial_.unable(rung); !reason.empty()) {
        m.status = Status::skipped;
        m.reason = std::move(reason);
      } else {
        note(fmt::format("{}, {} threads: check", m.rung, threads_));
        prepare(runner);
      }
      runners.push_back(std::move(runner));
    }
    take_asides(runners);
    for (const PeerSource& source : options_.peers) {
      Runner runner;
      Measurement& m = runner.result;
      m.mechanism = mechanism_.name();
      m.rung = "peer:" + source.name;
      m.idea = source.idea;
      m.beside = true;
      m.shape = trial_.shape();
      m.threads = threads_;
      note(fmt::format("{}, {} threads: check", m.rung, threads_));
      prepare_peer(runner, source);
      runners.push_back(std::move(runner));
    }
    return runners;
  }

  void prepare(Runner& runner) {
    Measurement& m = runner.result;
    const bool disturbed = aside_runs();
    choose_stage(runner);
    // The stage may be a sample: what must fit is what it takes itself.
    const auto free = static_cast<double>(machine::memory().available_bytes);
    const auto needed = static_cast<double>(runner.stage->trial->workspace(runner.rung));
    if (needed > 0.9 * free) {
      m.status = Status::skipped;
      m.reason = fmt::format("it needs {} beside its input, {} are free", format_bytes(needed), format_bytes(free));
      return;
    }
    if (runner.once == 0) runner.once = first_run(*runner.stage, runner.rung);
    check(runner, "before timing");
    plan(runner, !disturbed);
    const bool short_and_small = runner.once <= long_run_s && cost_.bytes + needed < 0.2 * free;
    if (options_.peak_memory && runner.stage == &whole_ && short_and_small && 2 * threads_ <= machine::available_cpus()) {
      wait_for_aside();
      last_aside_ = runner.rung;
      asides_[runner.rung] = std::async(std::launch::async, options_.peak_memory, runner.rung, threads_, PeakPlace::anywhere);
    } else if (options_.peak_memory && runner.stage == &whole_) {
      note(fmt::format("{}, {} threads: peak memory", m.rung, threads_));
      wait_for_aside();
      if (const auto run = options_.peak_memory(runner.rung, threads_, PeakPlace::pinned)) {
        m.peak_extra_bytes = run->bytes;
        // Where runs are long, this one counts too.
        if (runner.once > long_run_s && runner.wanted > 0) {
          runner.times.push_back(run->seconds);
          --runner.wanted;
        }
      }
    } else if (options_.peak_memory) {
      m.peak_extra_bytes = static_cast<double>(trial_.workspace(runner.rung));
      m.peak_predicted = true;
    }
  }

  bool aside_runs() const {
    const auto last = asides_.find(last_aside_);
    return last != asides_.end() && last->second.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
  }
  void wait_for_aside() {
    if (const auto last = asides_.find(last_aside_); last != asides_.end()) last->second.wait();
  }
  void take_asides(std::vector<Runner>& runners) {
    for (auto& [rung, found] : asides_)
      if (const auto run = found.get()) std::ranges::find(runners, rung, &Runner::rung)->result.peak_extra_bytes = run->bytes;
    asides_.clear();
  }

  /// How often to run, from the seconds of one run. That counts too where it was long and nothing ran beside it.
  void plan(Runner& runner, bool undisturbed = true) const {
    runner.repeat = std::max(1, static_cast<int>(std::ceil(1e-3 / runner.once)));
    const int enough = static_cast<int>(std::ceil(options_.seconds / (runner.once * runner.repeat)));
    // A rung that is sampled is far from the top: fewer runs tell as much of it as is asked. So is one whose runs are not short.
    const bool few = runner.stage != &whole_ || runner.once > options_.seconds;
    const int least = few ? 2 : runner.once > options_.seconds / 4 ? std::min(3, options_.least_runs) : options_.least_runs;
    runner.wanted = std::clamp(enough, least, 30);
    // What the first run of a long one pays for fresh memory does not show.
    if (runner.once > long_run_s && undisturbed) {
      runner.times.push_back(runner.once);
      runner.wanted = std::max(1, runner.wanted - 1);
    }
  }

  /// Does what a peer is asked for. One that fails is out, with the reason.
  template <class Work>
  void ask(Runner& runner, const Work& work) {
    const machine::AloneScope alone;
    try {
      work();
    } catch (const PeerFault& fault) {
      leave_out(runner, fault.what());
    }
  }

  static void leave_out(Runner& runner, const std::string& reason) {
    runner.peer.reset();
    runner.wanted = 0;
    runner.result.status = Status::skipped;
    runner.result.reason = reason;
  }

  /// Copies of the inputs that a peer goes round over: as we do, within a tenth of the free memory.
  int peer_copies() const {
    const double fit = 0.1 * static_cast<double>(machine::memory().available_bytes) / cost_.bytes;
    return static_cast<int>(std::clamp(fit, 1., static_cast<double>(whole_.copies.size() + 1)));
  }

  void prepare_peer(Runner& runner, const PeerSource& source) {
    runner.stage = &whole_;
    ask(runner, [&] {
      runner.peer = source.open(threads_, peer_copies());
      // The first run may pay for fresh memory.
      for (runner.once = 0; runner.untimed < 2 && runner.once < 0.2; ++runner.untimed) runner.once = runner.peer->run(1).at(0);
    });
    if (!runner.peer) return;
    check_peer(runner, "before timing");
    if (runner.peer) plan(runner);
  }

  void check_peer(Runner& runner, const char* when) {
    std::vector<float> answer;
    ask(runner, [&] { answer = runner.peer->answer(); });
    if (!runner.peer) return;
    const machine::ThreadScope all(std::max(threads_, options_.check_threads));
    const CheckResult found = trial_.check_values(answer, whole_.checked);
    Measurement& m = runner.result;
    // The fault is not ours: our own figures stand.
    if (!found.passed) return leave_out(runner, fmt::format("its answer is wrong {}: {}", when, found.fault));
    m.max_error = std::max(m.max_error, found.max_error);
    m.error_bound = found.bound;
    m.checked_rows = found.checked_rows;
  }

  void time_peer(Runner& runner) {
    refresh();
    std::vector<double> seconds;
    ask(runner, [&] { seconds = runner.peer->run(runner.repeat); });
    refresh();
    if (!runner.peer) return;
    runner.times.push_back(mean(seconds));
    if (++runner.done == runner.wanted) check_peer(runner, "after timing");
  }

  /// The report of a peer; its operator's own times take the place of those around it.
  void finish_peer(Runner& runner) {
    std::vector<double> own;
    ask(runner, [&] { own = runner.peer->operator_seconds(); });
    if (!runner.peer) return;
    PeerReport report{runner.peer->info(), numerics::median(runner.times), !own.empty()};
    if (report.own_time) {
      const auto repeat = static_cast<std::size_t>(runner.repeat);
      const std::size_t first = runner.times.size() - static_cast<std::size_t>(runner.done);  // a long first run counts
      if (own.size() != runner.untimed + repeat * static_cast<std::size_t>(runner.done))
        return leave_out(runner, fmt::format("its profiler tells of {} runs, {} were made", own.size(),
                                             runner.untimed + repeat * static_cast<std::size_t>(runner.done)));
      if (first == 1) runner.times[0] = own[runner.untimed - 1];
      for (std::size_t i = first; i < runner.times.size(); ++i)
        runner.times[i] = mean(std::span(own).subspan(runner.untimed + repeat * (i - first), repeat));
    }
    runner.result.peer = report;
    runner.peer.reset();
  }

  void check(Runner& runner, const char* when) const {
    const machine::ThreadScope all(std::max(threads_, options_.check_threads));
    const CheckResult found = runner.stage->trial->check(runner.rung, runner.stage->checked);
    Measurement& m = runner.result;
    if (!found.passed)
      throw program::CheckFailed(fmt::format("{} / {} on {} with {} threads is wrong {}: {}", m.mechanism, m.rung,
                                             m.shape.text(), threads_, when, found.fault));
    if (!(found.max_error <= m.max_error)) m.max_error = found.max_error;
    m.error_bound = found.bound;
    m.checked_rows = found.checked_rows;
  }

  void time(std::vector<Runner>& runners) {
    int rounds = 0;
    for (const Runner& runner : runners) rounds = std::max(rounds, runner.wanted);
    numerics::Random random(static_cast<std::uint64_t>(threads_));
    for (int round = 0; round < rounds; ++round) {
      std::vector<Runner*> order;
      for (Runner& runner : runners)
        // A rung with fewer runs takes part in rounds spread over all of them.
        if (runner.wanted > 0 && (round + 1) * runner.wanted / rounds > round * runner.wanted / rounds)
          order.push_back(&runner);
      for (std::size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[static_cast<std::size_t>(random.bits() % i)]);
      for (Runner* runner : order) {
        note(fmt::format("{}, {} threads: round {} of {}", runner->result.rung, threads_, round + 1, rounds));
        time_once(*runner);
      }
    }
  }

  void time_once(Runner& runner) {
    if (runner.peer) return time_peer(runner);
    Stage& stage = *runner.stage;
    // The last run's answer is checked again afterwards: it must be that run's own.
    const bool last = runner.done + 1 == runner.wanted;
    if (last) stage.trial->spoil();
    refresh();
    const auto first = static_cast<std::size_t>(runner.done++ * runner.repeat);
    const double seconds = seconds_of([&] {
      for (int i = 0; i < runner.repeat; ++i)
        (last ? *stage.trial : stage.turn(first + static_cast<std::size_t>(i))).run(runner.rung);
    });
    refresh();
    runner.times.push_back(seconds / runner.repeat);
    if (last) check(runner, "after timing");
  }

  /// Measures the rates again, since frequency and neighbours change: before and after what takes long, and now and then
  /// between short runs, so that it takes a fifth of the time at most.
  void refresh() {
    const Clock::time_point start = Clock::now();
    if (start - refreshed_ < std::max<Clock::duration>(std::chrono::milliseconds(100), 4 * refreshing_)) return;
    roofs_.refresh(threads_, from_memory_ ? machine::Rates::memory : machine::Rates::arithmetic);
    refreshed_ = Clock::now();
    refreshing_ = refreshed_ - start;
  }

  void finish(Runner& runner) {
    Measurement& m = runner.result;
    if (runner.peer) finish_peer(runner);
    if (m.status == Status::skipped) return;
    const double part = runner.stage->part;
    m.rows = trial_.rows();
    m.timed_rows = runner.stage->trial->rows();
    m.runs = static_cast<int>(runner.times.size());
    m.times_s = runner.times;
    for (double& time : m.times_s) time /= part;
    m.cost = cost_;
    m.median_s = numerics::median(runner.times) / part;
    m.spread_s = numerics::spread(runner.times) / part;
    std::vector<double> halves[2];
    for (std::size_t i = 0; i < runner.times.size(); ++i) halves[i % 2].push_back(runner.times[i]);
    m.aa_spread = std::abs(1 - numerics::median(halves[0]) / numerics::median(halves[1]));
    m.gflops = cost_.flops / m.median_s * 1e-9;
    m.gbytes_per_s = cost_.bytes / m.median_s * 1e-9;
    if (runner.stage != &whole_) {
      m.status = Status::sampled;
      m.reason = fmt::format("timed on {} of {} rows: the first, the last, those at tile edges, and others evenly spread",
                             m.timed_rows, m.rows);
    }
    place(m, !m.peer && mechanism_.rungs()[runner.rung].bfloat16);
  }

  /// The share of the roof. One that is more than there is may come from a roof that was measured while something else ran: then the roofs
  /// are measured again before it is called broken.
  void place(Measurement& m, bool bfloat16) {
    // A variant may do with less work than the formula's, which is what is counted.
    const bool limited = !m.variant || bfloat16;
    for (int look = 0;; ++look) {
      const Roof roof = binding_roof(cost_, roofs_.values(threads_), from_memory_, bfloat16);
      m.roof_kind = roof.kind;
      m.roof_value = roof.value;
      m.roof_share = roof.seconds / m.median_s;
      if (m.roof_share <= 1.02 || !limited) return;
      if (look == looks_at_broken_roof)
        throw program::CheckFailed(fmt::format("{} / {} on {} with {} threads takes {:.1f} % of its {} roof: the roof is broken",
                                               m.mechanism, m.rung, m.shape.text(), threads_, 100 * m.roof_share, roof.kind));
      roofs_.refresh(threads_, machine::Rates::all);
    }
  }

  static void add_speedups(std::vector<Runner>& runners) {
    const Measurement* first = nullptr;
    const Measurement* previous = nullptr;
    for (Runner& runner : runners) {
      Measurement& m = runner.result;
      if (m.status == Status::skipped) continue;
      if (previous) {
        m.speedup_previous = previous->median_s / m.median_s;
        m.within_noise = std::abs(*m.speedup_previous - 1) <= std::max(m.aa_spread, previous->aa_spread);
      }
      if (first) m.speedup_first = first->median_s / m.median_s;
      if (!first) first = &m;
      if (!m.beside && !m.variant) previous = &m;
    }
  }

  const AnyMechanism& mechanism_;
  Trial& trial_;
  const ClimbOptions& options_;
  machine::Roofs& roofs_;
  Cost cost_;
  Stage whole_;
  std::map<Index, Stage> samples_;
  bool from_memory_ = false;
  int threads_ = 1;
  Clock::time_point refreshed_;         ///< when the rates were measured last
  Clock::duration refreshing_{0};       ///< and how long that took
  /// Runs for the peak memory, by rung, one at a time beside the preparation of the next rungs, which leaves CPUs idle. Over before anything
  /// is timed.
  std::map<std::size_t, std::future<std::optional<PeakRun>>> asides_;
  std::size_t last_aside_ = 0;
};

}  // namespace

std::vector<Measurement> climb(const AnyMechanism& mechanism, Trial& trial, const ClimbOptions& options,
                               machine::Roofs& roofs) {
  const machine::ThreadScope one(1);  // what follows a climb has as many threads as before it
  return Climb(mechanism, trial, options, roofs).run();
}

}  // namespace attention::ladder
