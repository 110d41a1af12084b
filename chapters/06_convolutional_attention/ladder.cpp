// The chapter's mechanisms, for the registry.
#include "attention_pooling.hpp"
#include "attention_pooling_backward.hpp"
#include "bam.hpp"
#include "bam_backward.hpp"
#include "cbam.hpp"
#include "cbam_backward.hpp"
#include "convolution.hpp"
#include "convolution_backward.hpp"
#include "coordinate.hpp"
#include "coordinate_backward.hpp"
#include "depthwise.hpp"
#include "efficient_channel.hpp"
#include "efficient_channel_backward.hpp"
#include "non_local.hpp"
#include "non_local_backward.hpp"
#include "squeeze_excitation.hpp"
#include "squeeze_excitation_backward.hpp"

namespace attention::convolutional {

std::vector<ladder::MechanismPtr> mechanisms() {
  return {convolution_mechanism(),
          depthwise_mechanism(),
          non_local_mechanism(),
          squeeze_excitation_mechanism(),
          efficient_channel_mechanism(),
          cbam_mechanism(),
          bam_mechanism(),
          coordinate_mechanism(),
          attention_pooling_mechanism(),
          convolution_backward_mechanism(),
          non_local_backward_mechanism(),
          squeeze_excitation_backward_mechanism(),
          efficient_channel_backward_mechanism(),
          cbam_backward_mechanism(),
          bam_backward_mechanism(),
          coordinate_backward_mechanism(),
          attention_pooling_backward_mechanism()};
}

}  // namespace attention::convolutional
