#pragma once

#include "attention_pooling.hpp"
#include "cbam.hpp"
#include "efficient_channel.hpp"
#include "squeeze_excitation.hpp"

/// Four of the chapter's mechanisms on maps that have their channels last, [batch, height, width, channels]. The problem gives
/// sizes and weights; its own maps, which are those with the channels first, are not touched. What an answer holds place by place and
/// channel by channel has the channels last, too.
namespace attention::convolutional {

void squeeze_excitation_channels_last(const SqueezeExcitationProblem& problem, const Tensor<4>& maps, GatedMaps& out);
void efficient_channel_channels_last(const EfficientChannelProblem& problem, const Tensor<4>& maps, GatedMaps& out);
void cbam_channels_last(const CbamProblem& problem, const Tensor<4>& maps, CbamOutput& out);
void attention_pooling_channels_last(const AttentionPoolingProblem& problem, const Tensor<4>& maps, AttentionPoolingOutput& out);

}  // namespace attention::convolutional
