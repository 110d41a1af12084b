#include "additive.hpp"
#include "backward.hpp"
#include "experiments/experiments.hpp"
#include "ladder/climber.hpp"
#include "ladder/publish.hpp"

namespace attention::additive {

void climb_the_ladder(const Context& c) {
  const ladder::MechanismPtr any = ladder::publish(mechanism());
  c.climber.standard_shapes(*any);
  c.climber.sweeps(*any);
  const ladder::MechanismPtr backward = backward_mechanism();
  c.climber.standard_shapes(*backward);
  c.climber.sweeps(*backward);
}

}  // namespace attention::additive
