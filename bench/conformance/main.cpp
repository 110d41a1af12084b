// conformance DIR: the standard operators held against the cases below a folder.
#include "program/main.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "conformance/runner.hpp"
#include "machine/affinity.hpp"
#include "program/command_line.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  return program::run_main(argc, argv, [&]() -> int {
    std::string folder;
    if (const auto status = program::parse("Runs every case below DIR: a line for each, then how many passed, failed and were skipped.",
                                           "conformance",
                                           {{"DIR", "a folder; each folder below it that holds a case.json is a case", &folder}}, argc, argv))
      return *status;
    machine::use_threads(machine::available_cpus());
    const conformance::Summary summary = conformance::run_cases(folder, [](const conformance::Outcome& outcome) {
      fmt::print("{}\n", outcome.line());
      std::fflush(stdout);
    });
    fmt::print("{}", summary.text());
    return summary.failed > 0 ? 1 : 0;
  });
}
