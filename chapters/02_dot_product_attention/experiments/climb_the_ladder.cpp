#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "experiments/images.hpp"
#include "ladder/climb.hpp"
#include "ladder/peak_memory.hpp"
#include "ladder/publish.hpp"
#include "ladder/sweep.hpp"
#include "machine/affinity.hpp"
#include "program/progress.hpp"

namespace attention::dot_product {

namespace {

using ladder::Measurement;

const Measurement* find(const std::vector<Measurement>& all, const std::string& rung, int threads) {
  const auto found = std::ranges::find_if(all, [&](const Measurement& m) {
    return m.rung == rung && m.threads == threads && m.status != ladder::Status::skipped;
  });
  return found == all.end() ? nullptr : &*found;
}

class Climber {
 public:
  explicit Climber(const Context& context) : context_(context), mechanism_(ladder::publish(mechanism())) {}

  std::vector<Measurement> climb(const std::string& name, const std::string& title, ladder::Trial& trial,
                                 const ladder::PeakMemory& peak, ladder::ClimbOptions options) {
    program::Progress progress(title);
    options.note = [&](const std::string& what) { progress.note(what); };
    options.peak_memory = [&](std::size_t rung, int threads) { return peak.measure(mechanism_->rungs()[rung].name, threads); };
    std::vector<Measurement> found = ladder::climb(*mechanism_, trial, options, context_.roofs);
    progress.clear();
    std::cout << fmt::format("{}\n{}\n", title, ladder::to_table(found));
    problems_.push_back({{"name", name}, {"title", title}, {"shape", trial.shape().text()}, {"results", ladder::to_json(found)}});
    return found;
  }

  void add_sweep(const ladder::SweepResult& sweep) {
    if (!sweep.fits.empty()) std::cout << fmt::format("Over {} ({}):\n", sweep.name, sweep.base);
    for (const auto& fit : sweep.fits)
      std::cout << fmt::format("    {:<9} {} grows as {}^{:.2f} from {} to {}\n", fit.rung,
                               fit.quantity == "median_s" ? "time" : "extra memory", sweep.name, fit.exponent, fit.from, fit.to);
    for (const auto& crossover : sweep.crossovers)
      std::cout << fmt::format("    {} becomes faster than {} at {} = {:.0f}\n", crossover.slower_first,
                               crossover.faster_first, sweep.name, crossover.at);
    std::cout << '\n';
    sweeps_.push_back(ladder::to_json(sweep));
  }

  const ladder::AnyMechanism& any() const { return *mechanism_; }

  void write() const {
    context_.results.write("ladder", {{"problems", problems_}});
    context_.results.write("scaling", {{"sweeps", sweeps_}});
  }

 private:
  const Context& context_;
  ladder::MechanismPtr mechanism_;
  nlohmann::json problems_ = nlohmann::json::array();
  nlohmann::json sweeps_ = nlohmann::json::array();
};

}  // namespace

void climb_the_ladder(const Context& c, const LookUp& best) {
  Climber climber(c);
  const auto figure = [&](const char* name, double value, const char* unit, const std::string& meaning) {
    c.figures.push_back({name, value, unit, meaning});
  };

  // The chapter's own problem, on all threads.
  {
    Problem problem = test_problem(c.data, best);
    if (c.quick) {
      std::vector<Index> rows(static_cast<std::size_t>(std::min<Index>(500, problem.queries())));
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Index>(i);
      problem = take_queries(problem, rows);
    }
    const auto trial = ladder::make_trial(mechanism(), std::move(problem));
    const ladder::PeakMemory peak("dot_product", *trial);
    ladder::ClimbOptions options;
    options.threads = {c.threads};
    options.seconds = 0.5;
    options.reference_flops = 3e9;
    const auto found = climber.climb("look_up",
                                     fmt::format("The look-up, {} queries × {} keys × {} pixels{}", trial->shape()["queries"],
                                                 trial->shape()["keys"], trial->shape()["dim"],
                                                 c.data.real ? "" : " (generated stand-in data)"),
                                     *trial, peak, options);
    if (const Measurement* m = find(found, "fused", c.threads)) {
      figure("look_up_fused_seconds", m->median_s, "s", fmt::format("time of the fused rung on the look-up, {} threads", c.threads));
      figure("look_up_fused_max_error", m->max_error, "1", "its largest error, relative to the largest output");
      if (m->peak_extra_bytes)
        figure("look_up_fused_peak_extra_bytes", *m->peak_extra_bytes, "B", "its peak memory beyond inputs and output");
    }
    if (const Measurement* m = find(found, "simd", c.threads); m && m->peak_extra_bytes)
      figure("look_up_simd_peak_extra_bytes", *m->peak_extra_bytes, "B", "the same of the simd rung, which stores the weights");
  }

  std::vector<int> threads{1};
  if (c.threads > 1) threads.push_back(c.threads);
  const ladder::AnyMechanism& any = climber.any();
  const auto& standard = any.standard_shapes();
  for (const ladder::StandardShape& shape : standard) {
    if (c.quick && &shape != &standard.front()) break;
    const ladder::Shape sizes = ladder::parse_shape(shape.text, any.keys());
    const auto trial = any.make(sizes, 1, ladder::Hardness::plain);
    const ladder::PeakMemory peak("dot_product", sizes, 1);
    ladder::ClimbOptions options;
    options.threads = threads;
    options.seconds = c.quick ? 0.05 : 0.4;
    options.sample_above_s = c.quick ? 0.5 : 2;
    options.reference_flops = c.quick ? 2e8 : 2e9;
    const auto found = climber.climb(shape.name, fmt::format("Standard shape {} (heads × n × dim)", shape.name), *trial, peak, options);
    const Measurement* m = find(found, "fused", 1);
    if (m && (c.quick || shape.name == "8x2048x64")) {
      figure("fused_roof_share", m->roof_share, "1", fmt::format("the fused rung's share of the {} roof on {}, one thread", m->roof_kind, shape.name));
      figure("fused_roof_share_spread", m->roof_share * m->spread_s / m->median_s, "1", "half the distance between its quartiles");
      if (m->peak_extra_bytes)
        figure("fused_peak_extra_bytes", *m->peak_extra_bytes, "B", fmt::format("its peak memory beyond inputs and output on {}, one thread", shape.name));
    }
  }

  ladder::ClimbOptions options;
  options.threads = {1};
  options.seconds = c.quick ? 0.01 : 0.05;
  options.least_runs = 3;
  options.sample_above_s = c.quick ? 0.05 : 0.3;
  options.reference_flops = c.quick ? 5e7 : 3e8;
  for (const ladder::Sweep& sweep : any.sweeps()) {
    program::Progress progress(fmt::format("scaling over {}", sweep.name));
    options.note = [&](const std::string& what) { progress.note(what); };
    // Memory over n alone: it takes a process a rung and size.
    const bool memory = sweep.name == "n" && !c.quick;
    const ladder::SweepResult result = ladder::run_sweep(any, sweep, c.quick ? 256 : 1 << 20, memory, options, c.roofs);
    progress.clear();
    climber.add_sweep(result);
  }
  if (c.threads > 1) {
    program::Progress progress("scaling over the threads");
    options.note = [&](const std::string& what) { progress.note(what); };
    options.seconds = c.quick ? 0.02 : 0.2;
    options.sample_above_s = 1;
    const auto result = ladder::run_thread_sweep(any, c.quick ? "heads=8,queries=256,dim=64" : "heads=8,queries=1024,dim=64",
                                                 c.threads, options, c.roofs);
    progress.clear();
    climber.add_sweep(result);
  }
  climber.write();
}

}  // namespace attention::dot_product
