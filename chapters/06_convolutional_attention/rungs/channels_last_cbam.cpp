// CBAM, channels last. The pools over the channels are where this layout costs: a place's channels lie in the lanes of one vector, and must
// be added up across them.
#include <vector>

#include "rungs/cbam_planes.hpp"
#include "rungs/channels_last.hpp"
#include "rungs/channels_last_gates.hpp"
#include "rungs/image_by_image.hpp"

namespace attention::convolutional {

namespace {

constexpr Index band = 8;  ///< rows that are convolved and multiplied together

/// What one image needs on its way.
struct Scratch {
  explicit Scratch(const CbamProblem& p)
      : sums(static_cast<std::size_t>((channels_last_parts(p.places()) + 1) * p.channels())), maxima(sums.size()), planes(p) {}
  tensor::Buffer sums;    ///< [parts, channels], then the means
  tensor::Buffer maxima;  ///< [parts, channels], then the maxima
  CbamPlanes planes;
};

/// The channel gates, from the parts' sums and maxima.
void channel_gates(const CbamProblem& p, Scratch& s, float* gate) {
  const Index channels = p.channels();
  const Index parts = channels_last_parts(p.places());
  float* mean = s.sums.data() + parts * channels;
  float* largest = s.maxima.data() + parts * channels;
  for (Index c = 0; c < channels; ++c) {
    float sum = 0;
    float most = -std::numeric_limits<float>::infinity();
    for (Index part = 0; part < parts; ++part) {
      sum += s.sums.data()[part * channels + c];
      most = std::max(most, s.maxima.data()[part * channels + c]);
    }
    mean[c] = sum / static_cast<float>(p.places());
    largest[c] = most;
  }
  cbam_channel_gates(p, mean, largest, dot, gate);
}

}  // namespace

void cbam_channels_last(const CbamProblem& p, const Tensor<4>& maps, CbamOutput& out) {
  const std::array shape{p.input.shape()[0], p.input.shape()[1], p.input.shape()[2], p.input.shape()[3]};
  if (!std::ranges::equal(out.output.shape(), maps.shape())) out.output = tensor::empty<4>({shape[0], shape[2], shape[3], shape[1]});
  if (out.channel_gate.shape()[0] != shape[0] || out.channel_gate.shape()[1] != shape[1])
    out.channel_gate = tensor::empty<2>({shape[0], shape[1]});
  if (!std::ranges::equal(out.spatial_gate.shape(), std::array{shape[0], shape[2], shape[3]}))
    out.spatial_gate = tensor::empty<3>({shape[0], shape[2], shape[3]});

  const Index channels = p.channels();
  const Index places = p.places();
  const Index parts = channels_last_parts(places);
  const float share = 1 / static_cast<float>(channels);
  std::vector<Scratch> scratch(static_cast<std::size_t>(image_slots(p.batch())), Scratch(p));
  const auto slot_of = [&](Index slot) -> Scratch& { return scratch[static_cast<std::size_t>(slot)]; };
  const auto image = [&](Index b) { return maps.data() + b * p.image_size(); };
  const auto part_of = [&](Index part) { return std::min(channels_last_part, places - part * channels_last_part); };
  image_by_image(
      p.batch(),
      ImageStage(parts, [&](Index b, Index slot, Index part) {
        sum_places<false, true>(image(b) + part * channels_last_part * channels, part_of(part), channels, nullptr,
                                slot_of(slot).sums.data() + part * channels, slot_of(slot).maxima.data() + part * channels);
      }),
      ImageStage(1, [&](Index b, Index slot, Index) { channel_gates(p, slot_of(slot), out.channel_gate_of(b)); }),
      ImageStage(parts, [&](Index b, Index slot, Index part) {
        alignas(64) float mean[channels_last_part];
        alignas(64) float largest[channels_last_part];
        const Index first = part * channels_last_part;
        sum_channels<true>(image(b) + first * channels, part_of(part), channels, out.channel_gate_of(b), mean, largest);
        for (Index i = 0; i < part_of(part); ++i) mean[i] *= share;
        slot_of(slot).planes.write(p, first, part_of(part), mean, largest);
      }),
      ImageStage((p.height() + band - 1) / band, [&](Index b, Index slot, Index part) {
        const Index first = part * band;
        const Index last = std::min(first + band, p.height());
        const Index from = first * p.width();
        slot_of(slot).planes.convolve_rows(p, first, last, out.spatial_gate_of(b));
        scale_channels(image(b) + from * channels, (last - first) * p.width(), channels, out.channel_gate_of(b),
                       out.spatial_gate_of(b) + from, out.output.data() + b * p.image_size() + from * channels);
      }));
}

}  // namespace attention::convolutional
