// The chapter's mechanisms, for the registry.
#include "attention_pooling.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "cbam_backward.hpp"
#include "convolution.hpp"
#include "convolution_backward.hpp"
#include "coordinate.hpp"
#include "efficient_channel.hpp"
#include "efficient_channel_backward.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"
#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

std::vector<ladder::MechanismPtr> mechanisms() {
  return {convolution_mechanism(), non_local_mechanism(), squeeze_excitation_mechanism(), efficient_channel_mechanism(),
          cbam_mechanism(), bam_mechanism(), coordinate_mechanism(), attention_pooling_mechanism(),
          convolution_backward_mechanism(), squeeze_excitation_backward_mechanism(),
          efficient_channel_backward_mechanism(), cbam_backward_mechanism()};
}

}  // namespace attention::convolutional
