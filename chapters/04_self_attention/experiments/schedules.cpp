#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "experiments/experiments.hpp"
#include "machine/affinity.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"
#include "rungs/row.hpp"

namespace attention::self_attention {

namespace {

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  for (Index i = 0; i < rows; ++i) multiply_row(a + i * depth, depth, b, columns, c + i * columns);
}

struct Schedule {
  const char* name;
  omp_sched_t kind;
  int chunk;  ///< 0: OpenMP's own
};

/// Seconds that all rows take with the schedule that is set.
double seconds_of(const Problem& p, const Projected& x, Output& out) {
  const auto start = std::chrono::steady_clock::now();
#pragma omp parallel for schedule(runtime)
  for (Index i = 0; i < p.queries(); ++i) attend_row(p, x, 0, 0, 0, i, out);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

void schedules(const Context& c) {
  if (c.threads < 2) {
    std::cout << "Schedules: left out, there is one thread only\n\n";
    return;
  }
  const Index n = c.quick ? 512 : 1024;
  constexpr Schedule all[] = {{"static", omp_sched_static, 0}, {"static, 1", omp_sched_static, 1}, {"dynamic, 8", omp_sched_dynamic, 8}};
  program::Table table({{"mask"}, {"schedule"}, {"time"}, {"slower than the best"}});
  Json rows = Json::array();
  for (const Kind kind : {Kind::full, Kind::causal}) {
    const Problem p = make(kind, ladder::parse_shape(fmt::format("n={},dim=64,width=16", n), mechanism(kind).keys), 1, ladder::Hardness::plain);
    const Projected x = project(p, product, true);
    Output out;
    prepare(p, out, true);
    seconds_of(p, x, out);
    // In turns, so that a slow moment of the machine meets all.
    std::vector<double> times[std::size(all)];
    for (int round = 0; round < (c.quick ? 3 : 9); ++round)
      for (std::size_t s = 0; s < std::size(all); ++s) {
        omp_set_schedule(all[s].kind, all[s].chunk);
        times[s].push_back(seconds_of(p, x, out));
      }
    double best = INFINITY;
    for (const auto& each : times) best = std::min(best, numerics::median(each));
    const char* mask = kind == Kind::full ? "all keys" : "causal";
    for (std::size_t s = 0; s < std::size(all); ++s) {
      const double median = numerics::median(times[s]);
      rows.push_back({{"mask", mask}, {"schedule", all[s].name}, {"milliseconds", 1e3 * median}, {"times the best", median / best}});
      table.add({mask, all[s].name, ladder::format_seconds(median), fmt::format("{:.2f} ×", median / best)});
      if (kind == Kind::causal && s == 0)
        c.figure("static_over_best", median / best, "1",
                 fmt::format("time of a static schedule on the causal triangle over the best of three, {} threads", c.threads));
    }
  }
  std::cout << fmt::format("Schedules: the rows of one head, n = {}, {} threads\n{}\n", n, c.threads, table.text());
  c.results.write("schedules", {{"n", n}, {"threads", c.threads}, {"rows", rows}});
}

}  // namespace attention::self_attention
