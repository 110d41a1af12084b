// Google Benchmark over every ladder: for those who know its options, filters and output formats. The rungs, shapes and
// checks are the ladder's own; a test sees that both timers agree.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <map>
#include <memory>

#include "ladder/registry.hpp"
#include "ladder/sample_rows.hpp"
#include "machine/affinity.hpp"
#include "program/error.hpp"
#include "program/main.hpp"

namespace {

using namespace attention;

/// Trials are made when first asked for and kept for the rungs that follow on the same shape; one at a time.
ladder::Trial& trial_of(const ladder::AnyMechanism& mechanism, const std::string& shape) {
  static std::string held;
  static std::unique_ptr<ladder::Trial> trial;
  const std::string wanted = mechanism.name() + "/" + shape;
  if (held != wanted) {
    trial = mechanism.make(ladder::parse_shape(shape, mechanism.keys()), 1, ladder::Hardness::plain);
    held = wanted;
  }
  return *trial;
}

void run(benchmark::State& state, const ladder::AnyMechanism& mechanism, const std::string& shape, std::size_t rung,
         int threads) {
  ladder::Trial& trial = trial_of(mechanism, shape);
  if (const std::string reason = trial.unable(rung); !reason.empty()) return state.SkipWithError(reason.c_str());
  machine::use_threads(threads);
  const std::vector<ladder::Index> rows =
      trial.rows() > 64 ? ladder::sample_rows(trial.rows(), 64, mechanism.tile_edges()) : std::vector<ladder::Index>{};
  for (auto _ : state) trial.run(rung);
  const ladder::CheckResult check = trial.check(rung, rows);
  if (!check.passed) return state.SkipWithError(check.fault.c_str());
  const ladder::Cost cost = trial.cost();
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["FLOP/s"] = benchmark::Counter(cost.flops, rate);
  state.counters["B/s"] = benchmark::Counter(cost.bytes, rate);
  state.counters["exp/s"] = benchmark::Counter(cost.exps, rate);
  state.counters["max_error"] = check.max_error;
}

void register_all() {
  for (const auto& mechanism : ladder::all_mechanisms())
    for (const ladder::StandardShape& shape : mechanism->standard_shapes())
      for (std::size_t rung = 0; rung < mechanism->rungs().size(); ++rung)
        for (int threads = 1; threads <= machine::available_cpus(); threads *= 2) {
          if (!mechanism->rungs()[rung].parallel && threads > 1) continue;
          const std::string name =
              fmt::format("{}/{}/{}/threads:{}", mechanism->name(), shape.name, mechanism->rungs()[rung].name, threads);
          benchmark::RegisterBenchmark(name.c_str(), [mechanism, text = shape.text, rung, threads](benchmark::State& state) {
            run(state, *mechanism, text, rung, threads);
          })->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
        }
}

}  // namespace

int main(int argc, char** argv) {
  return program::run_main(argc, argv, [&] {
    register_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
      throw program::UserError("google_bench: unknown argument; see --help");
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  });
}
