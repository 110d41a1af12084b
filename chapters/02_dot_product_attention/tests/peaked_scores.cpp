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

/// The best of some runs, in seconds.
double seconds_of(ladder::Trial& trial, std::size_t rung) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 7; ++run) {
    const double start = machine::now_seconds();
    trial.run(rung);
    best = std::min(best, machine::now_seconds() - start);
  }
  return best;
}

constexpr const char* shape = "heads=1,queries=192,keys=2048,dim=64";

template <class Mechanism>
void compare(const Mechanism& mechanism, typename Mechanism::Problem usual, typename Mechanism::Problem peaked, std::initializer_list<const char*> rungs) {
  const ladder::MechanismPtr any = ladder::publish(mechanism);
  const auto trials = {ladder::make_trial(mechanism, std::move(usual)), ladder::make_trial(mechanism, std::move(peaked))};
  for (const char* name : rungs) {
    INFO(mechanism.name << " / " << name);
    const std::size_t rung = any->rung_index(name);
    std::vector<double> seconds;
    for (const auto& trial : trials) {
      seconds.push_back(seconds_of(*trial, rung));
      CHECK(trial->check(rung, {}).passed);
    }
    // Weights that are subnormal numbers made it 35 times.
    if (!tests::sanitized) CHECK(seconds[1] < 4 * seconds[0]);
  }
}

}  // namespace

TEST_CASE("peaked scores take no longer than others", "[dot_product]") {
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
