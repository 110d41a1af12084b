// Scores so far apart that most weights are next to nothing, as those of real data are: random numbers have none.
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "backward.hpp"
#include "catch.hpp"
#include "dot_product.hpp"
#include "ladder/publish.hpp"
#include "machine/clock.hpp"
#include "sanitized.hpp"

using namespace attention;
using namespace attention::dot_product;

namespace {

double seconds_of(ladder::Trial& trial, std::size_t rung) {
  const double start = machine::now_seconds();
  trial.run(rung);
  return machine::now_seconds() - start;
}

/// Whether some run of `peaked` takes less than 4 times the quickest of `usual`. Both take turns, for a while if need be: whatever
/// else the machine does can lengthen a run, but none is shorter than its work.
bool takes_no_longer(ladder::Trial& peaked, ladder::Trial& usual, std::size_t rung) {
  double quickest_peaked = std::numeric_limits<double>::infinity();
  double quickest_usual = quickest_peaked;
  for (int run = 0; run < 200; ++run) {
    quickest_usual = std::min(quickest_usual, seconds_of(usual, rung));
    quickest_peaked = std::min(quickest_peaked, seconds_of(peaked, rung));
    if (run >= 6 && quickest_peaked < 4 * quickest_usual) return true;
  }
  UNSCOPED_INFO("usual: " << quickest_usual << " s, peaked: " << quickest_peaked << " s");
  return false;
}

constexpr const char* shape = "heads=1,queries=192,keys=2048,dim=64";

template <class Mechanism>
void compare(const Mechanism& mechanism, typename Mechanism::Problem usual, typename Mechanism::Problem peaked, std::initializer_list<const char*> rungs) {
  const ladder::MechanismPtr any = ladder::publish(mechanism);
  const auto usual_trial = ladder::make_trial(mechanism, std::move(usual));
  const auto peaked_trial = ladder::make_trial(mechanism, std::move(peaked));
  for (const char* name : rungs) {
    INFO(mechanism.name << " / " << name);
    const std::size_t rung = any->rung_index(name);
    // Weights that are subnormal numbers made it 35 times.
    const bool no_longer = takes_no_longer(*peaked_trial, *usual_trial, rung);
    if (!tests::sanitized) CHECK(no_longer);
    for (const auto& trial : {usual_trial.get(), peaked_trial.get()}) CHECK(trial->check(rung, {}).passed);
  }
}

}  // namespace

TEST_CASE("peaked scores take no longer than others", "[dot_product][timing]") {
  const DotProduct& forward = mechanism();
  const auto make = [&] { return forward.make(ladder::parse_shape(shape, forward.keys), 1, ladder::Hardness::plain); };
  Problem peaked = make();
  for (float& q : peaked.query) q *= 60;
  compare(forward, make(), std::move(peaked), {"simd", "fused", "fused_bf16"});

  const auto make_backward = [&](ladder::Hardness hardness) {
    return backward().make(ladder::parse_shape(shape, backward().keys), 1, hardness);
  };
  compare(backward(), make_backward(ladder::Hardness::plain), make_backward(ladder::Hardness::large_scores), {"fused", "parallel"});
}
