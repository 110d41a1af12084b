// Google Benchmark and the ladder's own timer, on the same rung of the same problem: they must agree.
#if __has_include(<benchmark/benchmark.h>)
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "catch.hpp"
#include "ladder/climb.hpp"
#include "ladder/registry.hpp"
#include "machine/affinity.hpp"
#include "numerics/statistics.hpp"
#include "sanitized.hpp"

using namespace attention;

namespace {

/// Keeps the real time of each run instead of printing it.
class Keeper : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs)
      if (run.run_type == Run::RT_Iteration) seconds.push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
  }
  std::vector<double> seconds;
};

}  // namespace

TEST_CASE("Google Benchmark and the ladder's timer agree within the A/A spread", "[ladder][timing]") {
  if constexpr (tests::sanitized) {
    WARN("left out: times under a sanitizer mean nothing");
  } else {
    const ladder::AnyMechanism& mechanism = ladder::find_mechanism(ladder::all_mechanisms(), "dot_product");
    const std::size_t rung = mechanism.rung_index("fused");
    const machine::ThreadScope one(1);  // as the climb below; Google's runs take what they find
    const auto trial = mechanism.make(ladder::parse_shape("heads=4,queries=256,dim=64", mechanism.keys()), 1, ladder::Hardness::plain);
    benchmark::RegisterBenchmark("agreement", [&](benchmark::State& state) {
      for (auto _ : state) trial->run(rung);
    })->UseRealTime()->MinTime(0.05);

    machine::Roofs roofs;
    ladder::ClimbOptions options;
    options.rungs = {rung};
    options.seconds = 0.05;
    // Neighbours of a shared machine come and go: what counts is that the timers agree whenever it stands still.
    double difference = 1;
    double spread = 0;
    for (int attempt = 0; attempt < 5 && difference > spread; ++attempt) {
      std::vector<double> ladder_times;
      Keeper google;
      for (int turn = 0; turn < 5; ++turn) {
        ladder_times.push_back(ladder::climb(mechanism, *trial, options, roofs).front().median_s);
        benchmark::RunSpecifiedBenchmarks(&google, "agreement");
      }
      REQUIRE(google.seconds.size() == 5);
      const auto [least, most] = std::ranges::minmax(ladder_times);
      spread = most / least - 1;
      difference = std::abs(numerics::median(google.seconds) / numerics::median(ladder_times) - 1);
    }
    INFO("difference " << difference << ", A/A spread " << spread);
    CHECK(difference <= spread);
  }
}
#endif
