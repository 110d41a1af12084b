#pragma once

#include <string>
#include <vector>

#include "ladder/mechanism.hpp"

namespace attention::tests {

/// Shapes on which rungs break: sizes of 1, primes, powers of two and their neighbours, the rungs' own tile edges and theirs,
/// mixed so that each size of each key occurs. None costs more than a reference can be had for quickly.
std::vector<ladder::Shape> awkward_shapes(const ladder::AnyMechanism& mechanism);

/// Tries every rung on every awkward shape, every hardness and several numbers of threads: its answer must be the reference's
/// within the bound, and the same to the last bit with any number of threads. Gives for each rung the first fault, or nothing.
std::vector<std::string> faults_of(const ladder::AnyMechanism& mechanism);

/// The same for one rung.
std::string fault_of(const ladder::AnyMechanism& mechanism, std::size_t rung);

}  // namespace attention::tests
