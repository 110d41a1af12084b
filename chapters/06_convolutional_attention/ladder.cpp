// The chapter's mechanisms, for the registry.
#include "convolution.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

std::vector<ladder::MechanismPtr> mechanisms() {
  return {squeeze_excitation_mechanism(), convolution_mechanism(), non_local_mechanism()};
}

}  // namespace attention::convolutional
