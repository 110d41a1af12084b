#include "ladder/mechanism.hpp"

namespace attention::sequence_to_sequence {

/// None of its own: additive attention's ladder is chapter 1's, the dot product's chapter 2's.
std::vector<ladder::MechanismPtr> mechanisms() { return {}; }

}  // namespace attention::sequence_to_sequence
