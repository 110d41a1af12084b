#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/report.hpp"

namespace attention::conformance {

enum class Verdict { passed, failed, skipped };

/// What became of one case.
struct Outcome {
  std::string name;  ///< of its folder, below the one that was searched
  std::string op;    ///< empty where it could not be read
  Verdict verdict = Verdict::failed;
  std::string reason;  ///< where it is not passed
  Report report;

  /// `passed NAME (OP): worst error …, … of our aim, rungs …`, or the reason.
  std::string line() const;
};

/// The folders below `folder`, and itself, that hold a case.json, sorted; links are not followed. Throws UserError where `folder`
/// is no folder, cannot be read, or holds no case.
std::vector<std::filesystem::path> find_cases(const std::filesystem::path& folder);

/// Reads the case and runs it. A damaged case has failed, one that is not known is skipped; throws nothing but what a broken
/// standard library throws.
Outcome run_case(const std::filesystem::path& folder, const std::string& name);

/// All cases below `folder`, in their order; `done` is called after each.
struct Summary {
  int passed = 0;
  int failed = 0;
  int skipped = 0;
  /// The cases nearest to the limit: the worst share of our aim (float32), of half's tolerance (float16).
  std::optional<double> aim_share, half_share;
  std::string aim_case, half_case;

  /// One or two lines on the worst, then `N passed, M failed, K skipped`.
  std::string text() const;
};
Summary run_cases(const std::filesystem::path& folder, const std::function<void(const Outcome&)>& done);

}  // namespace attention::conformance
