#include "additive.hpp"
#include "experiments/experiments.hpp"
#include "ladder/climber.hpp"
#include "ladder/publish.hpp"

namespace attention::additive {

void climb_the_ladder(const Context& c) {
  const ladder::MechanismPtr any = ladder::publish(mechanism());
  c.climber.standard_shapes(*any);
  c.climber.sweeps(*any);
}

}  // namespace attention::additive
