#include "ladder/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "ladder/peak_memory.hpp"
#include "numerics/statistics.hpp"

namespace attention::ladder {

namespace {

/// Two rungs nearer than this are called equally fast: where the code lies in memory makes as much of a difference.
constexpr double clear_lead = 0.1;

/// One rung's figures along the sweep, by number of threads.
struct Line {
  std::vector<double> x;
  std::vector<double> seconds;
  std::vector<double> noise;
  std::vector<double> x_bytes;
  std::vector<double> bytes;
};

using Lines = std::map<std::pair<std::string, int>, Line>;

Lines lines_of(const SweepResult& result, const std::vector<double>& x_of) {
  Lines lines;
  for (std::size_t i = 0; i < result.measurements.size(); ++i) {
    const Measurement& m = result.measurements[i];
    if (m.status == Status::skipped) continue;
    Line& line = lines[{m.rung, m.threads}];
    line.x.push_back(x_of[i]);
    line.seconds.push_back(m.median_s);
    line.noise.push_back(std::max(m.aa_spread, m.spread_s / m.median_s));
    // Below 256 kB the system's own bookkeeping is as large as what is measured.
    if (m.peak_extra_bytes && *m.peak_extra_bytes > 256e3) {
      line.x_bytes.push_back(x_of[i]);
      line.bytes.push_back(*m.peak_extra_bytes);
    }
  }
  return lines;
}

void add_fit(SweepResult& result, const std::string& rung, int threads, const char* quantity, std::vector<double> x,
             std::vector<double> y) {
  // The upper half of the points: below, start-up costs and caches bend the line.
  const std::size_t first = x.size() > 3 ? x.size() / 2 - (x.size() % 2 == 0 ? 1 : 0) : 0;
  x.erase(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(first));
  y.erase(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(first));
  if (x.size() < 2) return;
  const numerics::PowerLaw law = numerics::fit_power_law(x, y);
  result.fits.push_back({rung, threads, quantity, law.exponent, law.r_squared, static_cast<Index>(x.front()),
                         static_cast<Index>(x.back())});
}

void add_crossovers(SweepResult& result, const Lines& lines) {
  for (auto a = lines.begin(); a != lines.end(); ++a)
    for (auto b = std::next(a); b != lines.end(); ++b) {
      if (a->first.second != b->first.second || a->second.x != b->second.x) continue;
      const Line& first = a->second;
      const Line& second = b->second;
      // log(first / second) wherever one is clearly ahead; between two such points with different signs lies a crossover.
      double before = 0;
      std::size_t from = 0;
      for (std::size_t i = 0; i < first.x.size(); ++i) {
        const double lead = std::log(first.seconds[i] / second.seconds[i]);
        if (std::abs(lead) <= std::max({first.noise[i], second.noise[i], clear_lead})) continue;
        if (lead * before < 0) {
          const double t = before / (before - lead);
          const double at = std::exp(std::log(first.x[from]) * (1 - t) + std::log(first.x[i]) * t);
          const std::string& overtaking = before > 0 ? a->first.first : b->first.first;
          const std::string& overtaken = before > 0 ? b->first.first : a->first.first;
          result.crossovers.push_back({overtaking, overtaken, a->first.second, at});
        }
        before = lead;
        from = i;
      }
    }
}

void conclude(SweepResult& result, const std::vector<double>& x_of) {
  const Lines lines = lines_of(result, x_of);
  for (const auto& [key, line] : lines) {
    add_fit(result, key.first, key.second, "median_s", line.x, line.seconds);
    add_fit(result, key.first, key.second, "peak_extra_bytes", line.x_bytes, line.bytes);
  }
  add_crossovers(result, lines);
}

}  // namespace

SweepResult run_sweep(const AnyMechanism& mechanism, const Sweep& sweep, Index largest, bool memory,
                      const ClimbOptions& options, machine::Roofs& roofs) {
  SweepResult result{.name = sweep.name, .keys = sweep.keys, .base = sweep.base, .values = {}, .measurements = {}, .fits = {}, .crossovers = {}};
  std::vector<double> x_of;
  for (const Index value : sweep.values) {
    if (value > largest) continue;
    result.values.push_back(value);
    std::string text = sweep.base;
    for (const std::string& key : sweep.keys) text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
    const Shape shape = parse_shape(text, mechanism.keys());
    const auto trial = mechanism.make(shape, 1, Hardness::plain);
    ClimbOptions each = options;
    const PeakMemory peak(mechanism.name(), shape, 1);
    if (memory)
      each.peak_memory = [&](std::size_t rung, int threads, PeakPlace place) { return peak.measure(mechanism.rungs()[rung].name, threads, place); };
    if (options.note)
      each.note = [&](const std::string& what) { options.note(fmt::format("{} = {}: {}", sweep.name, value, what)); };
    for (Measurement& m : climb(mechanism, *trial, each, roofs)) {
      result.measurements.push_back(std::move(m));
      x_of.push_back(static_cast<double>(value));
    }
  }
  conclude(result, x_of);
  return result;
}

std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int threads = 1; threads < most; threads *= 2) counts.push_back(threads);
  counts.push_back(most);
  return counts;
}

SweepResult over_threads(const std::string& shape, std::vector<Measurement> measurements) {
  SweepResult result{.name = "threads", .keys = {}, .base = shape, .values = {}, .measurements = {}, .fits = {}, .crossovers = {}};
  for (const Measurement& m : measurements)
    if (std::ranges::count(result.values, m.threads) == 0) result.values.push_back(m.threads);
  result.measurements = std::move(measurements);
  return result;
}

Json to_json(const SweepResult& result) {
  Json json = {{"name", result.name}, {"keys", result.keys}, {"base", result.base}, {"values", result.values},
               {"results", Json::array()}, {"fits", Json::array()}, {"crossovers", Json::array()}};
  for (const Measurement& m : result.measurements) json["results"].push_back(to_json(m));
  for (const auto& f : result.fits)
    json["fits"].push_back({{"rung", f.rung}, {"threads", f.threads}, {"quantity", f.quantity}, {"exponent", f.exponent},
                            {"r_squared", f.r_squared}, {"from", f.from}, {"to", f.to}});
  for (const auto& c : result.crossovers)
    json["crossovers"].push_back({{"slower_below", c.slower_first}, {"faster_below", c.faster_first},
                                  {"threads", c.threads}, {"at", c.at}});
  return json;
}

}  // namespace attention::ladder
