// The cases of the standard itself, where a folder with them lies beside the project.
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "catch.hpp"
#include "conformance/operators.hpp"
#include "conformance/runner.hpp"
#include "machine/affinity.hpp"

TEST_CASE("conformance: every case of the standard that is here and known passes", "[conformance]") {
  namespace fs = std::filesystem;
  using namespace attention;
  const char* named = std::getenv("ATTENTION_SHARED");
  const fs::path shared = named && *named ? fs::path(named) : fs::path(ATTENTION_SOURCE_DIR) / "../shared";
  const fs::path folder = shared / "conformance";
  if (!fs::is_directory(folder)) {
    WARN("skipped: there are no cases of the standard here; ATTENTION_SHARED names the folder that holds `conformance`");
    return;
  }
  machine::use_threads(2);
  std::map<std::string, int> passed;
  conformance::run_cases(folder, [&](const conformance::Outcome& outcome) {
    INFO(outcome.line());
    CHECK(outcome.verdict != conformance::Verdict::failed);
    // Only what is no operator of ours may be skipped.
    if (outcome.verdict == conformance::Verdict::skipped) CHECK(conformance::find_operator(outcome.op) == nullptr);
    if (outcome.verdict == conformance::Verdict::passed) ++passed[outcome.op];
    // One official case gives its numbers with four digits.
    if (!outcome.name.ends_with("averagepool_2d_ceil_last_window_starts_on_pad")) CHECK(outcome.report.aim_share().value_or(0) <= 1);
  });
  for (const conformance::Operator& op : conformance::operators()) {
    INFO(op.name);
    CHECK(passed[std::string(op.name)] > 0);
  }
}
