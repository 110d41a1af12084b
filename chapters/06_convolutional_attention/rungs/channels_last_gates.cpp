// Squeeze-and-excitation and efficient channel attention, channels last: means by vectors of channels, and one run of products.
#include "rungs/channels_last_gates.hpp"

#include "rungs/channels_last.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/image_by_image.hpp"
#include "rungs/squeeze_excitation_gates.hpp"

namespace attention::convolutional {

namespace {

template <class Gates>
void gate(const FeatureMaps& p, const Tensor<4>& maps, GatedMaps& out, Gates gates) {
  const std::array gate_shape{p.input.shape()[0], p.input.shape()[1]};
  if (!std::ranges::equal(out.output.shape(), maps.shape()))
    out.output = tensor::empty<4>({maps.shape()[0], maps.shape()[1], maps.shape()[2], maps.shape()[3]});
  if (!std::ranges::equal(out.gate.shape(), gate_shape)) out.gate = tensor::empty<2>(gate_shape);

  const Index channels = p.channels();
  const Index places = p.places();
  const Index parts = channels_last_parts(places);
  const Index slot_size = (parts + 1) * channels;
  tensor::Buffer scratch(static_cast<std::size_t>(image_slots(p.batch()) * slot_size));
  const auto part_of = [&](Index part) { return std::min(channels_last_part, places - part * channels_last_part); };
  image_by_image(
      p.batch(),
      ImageStage(parts, [&](Index b, Index slot, Index part) {
        sum_places<false, false>(maps.data() + b * p.image_size() + part * channels_last_part * channels, part_of(part), channels, nullptr,
                                 scratch.data() + slot * slot_size + part * channels, nullptr);
      }),
      ImageStage(1, [&](Index b, Index slot, Index) {
        const float* sums = scratch.data() + slot * slot_size;
        float* mean = scratch.data() + slot * slot_size + parts * channels;
        for (Index c = 0; c < channels; ++c) {
          float sum = 0;
          for (Index part = 0; part < parts; ++part) sum += sums[part * channels + c];
          mean[c] = sum / static_cast<float>(places);
        }
        gates(mean, out.gate_of(b));
      }),
      ImageStage(parts, [&](Index b, Index, Index turn) {
        // The part read last is the nearest.
        const Index part = parts - 1 - turn;
        const Index first = b * p.image_size() + part * channels_last_part * channels;
        scale_channels(maps.data() + first, part_of(part), channels, out.gate_of(b), nullptr, out.output.data() + first);
      }));
}

}  // namespace

void squeeze_excitation_channels_last(const SqueezeExcitationProblem& p, const Tensor<4>& maps, GatedMaps& out) {
  gate(p, maps, out, [&](const float* mean, float* gates) { squeeze_excitation_gates_simd(p, mean, gates); });
}

void efficient_channel_channels_last(const EfficientChannelProblem& p, const Tensor<4>& maps, GatedMaps& out) {
  gate(p, maps, out, [&](const float* mean, float* gates) { efficient_channel_gates(p, mean, gates); });
}

}  // namespace attention::convolutional
