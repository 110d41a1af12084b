#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exercise/check.hpp"
#include "exercise/evidence.hpp"

namespace attention::exercise {

/// One problem that the rung was run on, and what came of it.
struct Tried {
  std::unique_ptr<Case> problem;
  ladder::Shape shape;
  ladder::Hardness hardness = ladder::Hardness::plain;
  Answer answer;
  std::optional<Fault> fault;

  /// "queries=3,keys=7,…, large scores".
  std::string text() const;
};

/// Names the mistake by which these answers, of one thread, are wrong: fills name and reason, and seen from the first
/// that is. `tried` begins with the least work; some are right, some not.
void diagnose(const Exercise& exercise, std::vector<Tried>& tried, Verdict& verdict);

}  // namespace attention::exercise
