// The chapter's mechanisms, for the registry.
#include "attention_pooling.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "convolution.hpp"
#include "coordinate.hpp"
#include "depthwise.hpp"
#include "efficient_channel.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

std::vector<ladder::MechanismPtr> mechanisms() {
  return {convolution_mechanism(), depthwise_mechanism(), non_local_mechanism(), squeeze_excitation_mechanism(), efficient_channel_mechanism(),
          cbam_mechanism(), bam_mechanism(), coordinate_mechanism(), attention_pooling_mechanism()};
}

}  // namespace attention::convolutional
