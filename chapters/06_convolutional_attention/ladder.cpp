// The chapter's mechanisms, for the registry.
#include "convolution.hpp"
#include "non_local.hpp"

namespace attention::convolutional {

std::vector<ladder::MechanismPtr> mechanisms() { return {convolution_mechanism(), non_local_mechanism()}; }

}  // namespace attention::convolutional
