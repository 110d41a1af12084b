#include "machine/roofs.hpp"

#include <algorithm>
#include <cstddef>

#include "machine/affinity.hpp"
#include "machine/fma_peak.hpp"
#include "machine/function_rates.hpp"
#include "simd/bfloat16_dot.hpp"

namespace attention::machine {
namespace {

// Seconds for each measurement. The first is long: a clock that has to rise first takes some milliseconds,
// and in noise only many runs hold an undisturbed one.
struct Budget {
  double fma;
  double bf16;
  double bandwidth;
  double function;
};
constexpr Budget first_time{0.1, 0.05, 0.15, 0.02};
constexpr Budget again{0.01, 0.003, 0.02, 0.003};

// What is not asked for stays 0.
RoofValues measure(BandwidthProbe& probe, int threads, const Budget& budget, Rates rates) {
  const ThreadScope scope(threads);
  RoofValues measured;
  if (rates != Rates::arithmetic) {
    const Bandwidth bandwidth = probe.measure(threads, budget.bandwidth);
    measured.read = bandwidth.read;
    measured.write = bandwidth.write;
    measured.copy = bandwidth.copy;
  }
  if (rates != Rates::memory) {
    measured.fma = measure_fma_peak(threads, budget.fma);
    measured.bf16 = simd::has_bfloat16_dot() ? measure_bfloat16_peak(threads, budget.bf16) : measured.fma;
  }
  if (rates == Rates::all) {
    measured.exp = measure_exp_rate(threads, budget.function);
    measured.reciprocal = measure_reciprocal_rate(threads, budget.function);
  }
  return measured;
}

double median_of(const std::vector<double>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

}  // namespace

const Roofs::History& Roofs::history(int threads) {
  if (measurements(threads) == 0) add(threads, measure(probe_, threads, first_time, Rates::all));
  return histories_.at(threads);
}

void Roofs::add(int threads, const RoofValues& measured) {
  History& history = histories_[threads];
  ++history.measurements;
  for (std::size_t i = 0; i < roof_fields.size(); ++i) {
    const auto field = roof_fields[i].value;
    if (measured.*field == 0) continue;
    std::vector<double>& all = history.all[i];
    all.insert(std::ranges::upper_bound(all, measured.*field), measured.*field);
    history.best.*field = all.back();
    history.median.*field = median_of(all);
    history.spread.*field = (all.back() - all.front()) / median_of(all);
  }
}

const RoofValues& Roofs::values(int threads) { return history(threads).best; }

const RoofValues& Roofs::median(int threads) { return history(threads).median; }

const RoofValues& Roofs::spread(int threads) { return history(threads).spread; }

int Roofs::measurements(int threads) const {
  const auto found = histories_.find(threads);
  return found == histories_.end() ? 0 : found->second.measurements;
}

void Roofs::refresh(int threads, Rates rates) {
  if (measurements(threads) == 0) {
    history(threads);
  } else {
    add(threads, measure(probe_, threads, again, rates));
  }
}

std::vector<int> Roofs::thread_counts() const {
  std::vector<int> counts;
  for (const auto& [threads, history] : histories_) counts.push_back(threads);
  return counts;
}

}  // namespace attention::machine
