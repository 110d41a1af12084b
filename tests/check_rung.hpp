#pragma once

#include <string>
#include <vector>

#include "ladder/publish.hpp"

namespace attention::tests {

/// ladder::awkward_shapes, none of which costs more than a reference can be had for quickly.
std::vector<ladder::Shape> awkward_shapes(const ladder::AnyMechanism& mechanism);

/// Tries every rung on every awkward shape, every hardness and several numbers of threads: its answer must be the reference's
/// within the bound, and the same to the last bit with any number of threads. Gives for each rung the first fault, or nothing.
std::vector<std::string> faults_of(const ladder::AnyMechanism& mechanism);

/// The first fault of `run` in the place of the mechanism's rungs, or nothing. The check keeps all else of the mechanism.
template <class Mechanism>
std::string fault_of(Mechanism mechanism, void (*run)(const typename Mechanism::Problem&, typename Mechanism::Output&),
                     bool parallel = false) {
  mechanism.ladder = {{"tried", "alone", run, nullptr, {}, parallel}};
  return faults_of(*ladder::publish(mechanism)).front();
}

}  // namespace attention::tests
