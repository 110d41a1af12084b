// machine_report [--json]: what this machine is and what it can do at most. Every share of a roof that the
// ladders print stands on these measurements.

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "machine/affinity.hpp"
#include "machine/build_info.hpp"
#include "machine/caches.hpp"
#include "machine/description.hpp"
#include "machine/environment.hpp"
#include "machine/roofs.hpp"
#include "program/command_line.hpp"
#include "program/json.hpp"
#include "program/main.hpp"
#include "program/table.hpp"

namespace {

using namespace attention;

constexpr int repetitions = 5;

// All counts on a small machine; 1, 2, 4 … and all CPUs on a large one.
std::vector<int> thread_counts() {
  const int all = machine::available_cpus();
  std::vector<int> counts;
  for (int threads = 1; threads < all; threads = all <= 4 ? threads + 1 : threads * 2)
    counts.push_back(threads);
  counts.push_back(all);
  return counts;
}

std::string binary_size(std::size_t bytes) {
  if (bytes == 0) return "unknown";
  const auto value = static_cast<double>(bytes);
  if (bytes >= std::size_t{1} << 30) return fmt::format("{:.1f} GiB", value / (1 << 30));
  if (bytes >= std::size_t{1} << 20) return fmt::format("{:.1f} MiB", value / (1 << 20));
  return fmt::format("{:.0f} KiB", value / (1 << 10));
}

std::string cache_line(const machine::Cache& cache) {
  if (cache.bytes == 0) return "none, or unknown";
  return fmt::format("{}, lines of {} bytes, shared by {} CPU{}", binary_size(cache.bytes), cache.line_bytes,
                     cache.shared_by, cache.shared_by == 1 ? "" : "s");
}

void print_machine() {
  const Json it = machine::describe();
  const auto text = [&it](const char* key) { return it.at(key).get<std::string>(); };
  const machine::Memory memory = machine::memory();
  std::string extensions;
  for (const auto& name : it.at("extensions"))
    extensions += fmt::format("{}{}", extensions.empty() ? "" : " ", name.get<std::string>());

  fmt::print("Machine\n");
  fmt::print("  CPU               {}\n", text("cpu"));
  fmt::print("  extensions        {}\n", extensions);
  fmt::print("  CPUs available    {}\n", machine::available_cpus());
  fmt::print("  L1 data cache     {}\n", cache_line(machine::caches().l1d));
  fmt::print("  L2 cache          {}\n", cache_line(machine::caches().l2));
  fmt::print("  L3 cache          {}\n", cache_line(machine::caches().l3));
  fmt::print("  memory            {}, {} available now\n", binary_size(memory.total_bytes),
             binary_size(memory.available_bytes));
  fmt::print("  system            {}, {}\n", text("operating_system"), text("kernel"));
  fmt::print("  date              {}\n", text("date"));

  fmt::print("\nBuild\n");
  fmt::print("  compiler          {}\n", text("compiler"));
  fmt::print("  build type        {}\n", text("build_type"));
  fmt::print("  flags             {}\n", text("flags"));
  fmt::print("  instruction set   compiled for {}; the CPU has {}\n", machine::compiled_instruction_set(),
             machine::cpu_instruction_set());
  if (const auto library = machine::openblas()) {
    fmt::print("  OpenBLAS          {}, kernels for {}{}, threads by {}\n", library->version, library->core,
               machine::asked_openblas_core().empty() ? "" : " (asked for: it does not know this CPU)", library->parallel);
  } else {
    fmt::print("  OpenBLAS          none\n");
  }
  fmt::print("  xtensor           {}\n", machine::xtensor_version());
}

void print_roofs(machine::Roofs& roofs) {
  program::Table table({"threads", "roof", "best", "median", "spread", "per thread", "unit"});
  for (const int threads : roofs.thread_counts()) {
    for (const machine::RoofField& field : machine::roof_fields) {
      const double best = roofs.values(threads).*field.value;
      table.add({std::to_string(threads), std::string(field.name), fmt::format("{:.2f}", best / 1e9),
                 fmt::format("{:.2f}", roofs.median(threads).*field.value / 1e9),
                 fmt::format("{:.1f} %", 100 * roofs.spread(threads).*field.value),
                 fmt::format("{:.2f}", best / 1e9 / threads),
                 field.unit == "1/s" ? std::string("G/s") : fmt::format("G{}", field.unit)});
    }
  }
  fmt::print("\nRoofs, each measured {} times\n{}", repetitions, table.text(2));

  fmt::print("\nWhat they mean\n");
  for (const machine::RoofField& field : machine::roof_fields)
    fmt::print("  {:<11} {}\n", field.name, field.meaning);
  fmt::print("  {:<11} the largest of the measurements: what the machine can do when nothing disturbs it\n",
             "best");
  fmt::print("  {:<11} (largest - smallest) / median: how far this machine can be trusted now\n", "spread");
#ifndef __FMA__
  fmt::print(
      "  This build may not use fused multiply-adds: fma is the peak of a multiplication and an addition.\n");
#endif
}

int report(bool as_json) {
  machine::Roofs roofs;
  for (const int threads : thread_counts()) {
    for (int repetition = 0; repetition < repetitions; ++repetition) roofs.refresh(threads);
  }
  if (as_json) {
    const Json document{
        {"schema", 1}, {"machine", machine::describe()}, {"roofs", machine::describe_roofs(roofs)}};
    fmt::print("{}\n", document.dump(2));
  } else {
    print_machine();
    print_roofs(roofs);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run_main(argc, argv, [&] {
    bool as_json = false;
    if (const auto status = program::parse("What this machine is, and the most that it can do: peak, bandwidth, function rates.",
                                           "machine_report", {{"--json", "one JSON document on standard output", &as_json}}, argc, argv))
      return *status;
    return report(as_json);
  });
}
