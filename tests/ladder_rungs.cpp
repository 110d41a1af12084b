#include <string>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "ladder/registry.hpp"

using namespace attention;

// Hidden: it takes minutes, so each chapter is a test of ctest's own (see CMakeLists.txt) and they share the cores.
TEST_CASE("every rung of a chapter agrees with the float64 reference", "[.][rungs]") {
  std::vector<std::string> chapters;
  for (const auto& mechanism : ladder::all_mechanisms())
    if (chapters.empty() || chapters.back() != mechanism->chapter()) chapters.push_back(mechanism->chapter());
  for (const std::string& chapter : chapters)
    SECTION(chapter) {
      for (const auto& mechanism : ladder::all_mechanisms()) {
        if (mechanism->chapter() != chapter) continue;
        for (const std::string& fault : tests::faults_of(*mechanism)) {
          INFO(fault);
          CHECK(fault.empty());
        }
      }
    }
}

TEST_CASE("a mechanism's description is complete", "[ladder]") {
  for (const auto& mechanism : ladder::all_mechanisms()) {
    INFO(mechanism->name());
    CHECK_FALSE(mechanism->title().empty());
    CHECK_FALSE(mechanism->citation().empty());
    CHECK(mechanism->rungs().size() >= 2);
    CHECK_FALSE(mechanism->standard_shapes().empty());
    for (const ladder::RungInfo& rung : mechanism->rungs()) CHECK_FALSE(rung.idea.empty());
    // Cost and footprint are those of the shape, and the tensors are named.
    const ladder::Shape shape = tests::awkward_shapes(*mechanism).front();
    const auto trial = mechanism->make(shape, 1, ladder::Hardness::plain);
    CHECK(trial->shape() == shape);
    CHECK(trial->cost().flops > 0);
    CHECK(trial->cost().bytes > 0);
    CHECK(mechanism->footprint(shape) > 0);
    CHECK(trial->tensors().size() == mechanism->tensor_names().size());
  }
}
