// Rung 4, fused: image by image, by vectors; what can be said of a map while it passes is said at once.
//
// What changed: three things. Everything of an image is done before the next, so that its input and G come from memory
// once. The first pass multiplies G and F for the places' gates, and the part Σ_p M_s G F of a channel's gradient is
// the same products in other sums: both are made in it, so the second pass needs F alone and the third G alone. And the
// output goes past the caches. The places' sums over the channels are cut into a fixed number of parts, so that threads
// may share an image and the bits do not depend on them.
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "rungs/cbam_backward_gates.hpp"
#include "rungs/cbam_backward_rungs.hpp"
#include "rungs/cbam_backward_spatial.hpp"
#include "rungs/gathered_parts.hpp"
#include "rungs/image_by_image.hpp"
#include "rungs/places.hpp"

namespace attention::convolutional {

namespace {

/// Parts of the channels, each with a sum of its own for every place.
constexpr Index most_parts = 4;

Index parts_of(const CbamBackwardProblem& p) { return std::min(most_parts, p.channels()); }

/// One image's small gradients.
struct Scratch {
  explicit Scratch(const CbamBackwardProblem& p)
      : spatial(p),
        place_sums(static_cast<std::size_t>(parts_of(p) * p.places())),
        pools(static_cast<std::size_t>(2 * p.places())),
        gate_gradient(static_cast<std::size_t>(p.channels())),
        of_places(gate_gradient.size()),
        of_largest(gate_gradient.size()) {}

  static std::size_t bytes(const CbamBackwardProblem& p) {
    return CbamBackwardSpatial::bytes(p) +
           static_cast<std::size_t>((parts_of(p) + 2) * p.places() + 3 * p.channels()) * sizeof(float);
  }

  CbamBackwardSpatial spatial;
  tensor::UnsetBuffer place_sums;  ///< [parts, places]; the first becomes dT
  tensor::UnsetBuffer pools;       ///< dP_mean / C and dP_max
  tensor::UnsetBuffer gate_gradient, of_places, of_largest;
};

/// The lanes' numbers of channels, or of places.
[[gnu::always_inline]] inline simd::Int load_numbers(const std::int32_t* from, Index count) {
  simd::Int value{};
  if (count == simd::lanes)
    std::memcpy(&value, from, sizeof value);
  else
    std::memcpy(&value, from, static_cast<std::size_t>(count) * sizeof *from);
  return value;
}

/// Calls body(at, count, slot) for the vectors of n places, four slots in turn, the last vector in part.
template <class Body>
[[gnu::always_inline]] inline void for_vectors(Index n, Body body) {
  constexpr std::integral_constant<Index, simd::lanes> whole;
  Index i = 0;
  for (; i + map_sum_block <= n; i += map_sum_block)
    simd::unrolled<4>([&](auto slot) __attribute__((always_inline)) { body(i + slot * simd::lanes, whole, slot); });
  for (; i + simd::lanes <= n; i += simd::lanes) body(i, whole, std::integral_constant<int, 0>{});
  if (i < n) body(i, n - i, std::integral_constant<int, 1>{});
}

/// A map's products G F: onto the places' sums, times its gate; summed over the places, times theirs.
float products(const float* gradient, const float* x, Index n, float channel_gate, const float* spatial_gate,
               float* place_sums) {
  const simd::Float gate = simd::broadcast(channel_gate);
  simd::Float sum[4] = {};
  for_vectors(
      n, [&](Index i, auto count, auto slot) __attribute__((always_inline)) {
        const simd::Float product = load_up_to(gradient + i, count) * load_up_to(x + i, count);
        store_up_to(place_sums + i, load_up_to(place_sums + i, count) + gate * product, count);
        sum[slot] += load_up_to(spatial_gate + i, count) * product;
      });
  return simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// What the pools give to dF′, for one channel.
struct FromPools {
  const float* of_mean;  ///< the share of one channel
  const float* of_largest;
  const std::int32_t* largest_channel;
  simd::Int channel;

  template <class Count>
  [[gnu::always_inline]] simd::Float at(Index i, Count count) const {
    const simd::Float largest = load_up_to(of_largest + i, count);
    return load_up_to(of_mean + i, count) +
           (load_numbers(largest_channel + i, count) == channel ? largest : simd::Float{});
  }
};

/// What the pools of the image b give to channel c.
FromPools from_pools(const CbamBackwardProblem& p, Index b, Index c, const Scratch& s) {
  const float* of_mean = s.pools.data();
  return {of_mean, of_mean + p.places(), p.kept.largest_channel.data() + b * p.places(), simd::Int{} + static_cast<std::int32_t>(c)};
}

/// The places' sums over the channels of one part, and what those give to their gates.
void read_part(const CbamBackwardProblem& p, Index b, Index part, Scratch& s) {
  const Index channels = p.channels();
  const Index places = p.places();
  const Index parts = parts_of(p);
  float* sums = s.place_sums.data() + part * places;
  std::fill_n(sums, places, 0.F);
  for (Index c = part * channels / parts; c < (part + 1) * channels / parts; ++c)
    s.gate_gradient.data()[c] = products(p.gradient_of(b, c), p.map_of(b, c), places, p.kept.channel_gate.data()[b * channels + c],
                                         p.kept.spatial_gate.data() + b * places, sums);
}

/// dT, and through the convolution to the pools.
void through_places(const CbamBackwardProblem& p, Index b, Scratch& s, float* spatial_weights) {
  const Index places = p.places();
  const float* spatial_gate = p.kept.spatial_gate.data() + b * places;
  float* dT = s.place_sums.data();
  add_parts(dT, parts_of(p), places, dT);
#pragma omp simd
  for (Index i = 0; i < places; ++i) dT[i] *= spatial_gate[i] * (1 - spatial_gate[i]);
  float* of_mean = s.pools.data();
  s.spatial(p, b, dT, of_mean, spatial_weights);
  for (Index i = 0; i < places; ++i) of_mean[i] /= static_cast<float>(p.channels());
}

/// What the pools give to the gate of channel c.
void add_pools(const CbamBackwardProblem& p, Index b, Index c, Scratch& s) {
  const FromPools pools = from_pools(p, b, c, s);
  const float* x = p.map_of(b, c);
  simd::Float sum[4] = {};
  for_vectors(
      p.places(), [&](Index i, auto count, auto slot)
                      __attribute__((always_inline)) { sum[slot] += pools.at(i, count) * load_up_to(x + i, count); });
  s.gate_gradient.data()[c] += simd::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// The gradient of one map.
void write_map(const CbamBackwardProblem& p, Index b, Index c, const Scratch& s, CbamBackwardOutput& out) {
  const Index channels = p.channels();
  const Index places = p.places();
  const float* spatial_gate = p.kept.spatial_gate.data() + b * places;
  const FromPools pools = from_pools(p, b, c, s);
  const simd::Float gate = simd::broadcast(p.kept.channel_gate.data()[b * channels + c]);
  const simd::Float shift = simd::broadcast(s.of_places.data()[c]);
  const float* gradient = p.gradient_of(b, c);
  const Index largest = p.kept.largest_place.data()[b * channels + c];
  simd::Int lane;
  for (int l = 0; l < simd::lanes; ++l) lane[l] = l;
  stream_places(
      places,
      out.input.data() + (b * channels + c) * places, [&](Index i, Index count) __attribute__((always_inline)) {
        const simd::Float gated = load_up_to(spatial_gate + i, count) * load_up_to(gradient + i, count) + pools.at(i, count);
        simd::Float value = gate * gated + shift;
        if (largest >= i && largest < i + count)
          value += lane == simd::Int{} + static_cast<std::int32_t>(largest - i) ? simd::broadcast(s.of_largest.data()[c])
                                                                               : simd::Float{};
        return value;
      });
}

}  // namespace

void cbam_backward_fused(const CbamBackwardProblem& p, CbamBackwardOutput& out) {
  prepare(p, out);
  const auto taps = static_cast<Index>(p.spatial_weight.size());
  CbamBackwardGates gates(p);
  tensor::UnsetBuffer spatial_weights(static_cast<std::size_t>(p.batch() * taps));
  std::vector<Scratch> scratch(static_cast<std::size_t>(image_slots(p.batch())), Scratch(p));
  const auto of = [&](Index slot) -> Scratch& { return scratch[static_cast<std::size_t>(slot)]; };
  const Index channels = p.channels();
  image_by_image(
      p.batch(), ImageStage(parts_of(p), [&](Index b, Index slot, Index part) { read_part(p, b, part, of(slot)); }),
      ImageStage(1, [&](Index b, Index slot, Index) { through_places(p, b, of(slot), spatial_weights.data() + b * taps); }),
      ImageStage(channels, [&](Index b, Index slot, Index c) { add_pools(p, b, c, of(slot)); }),
      ImageStage(1, [&](Index b, Index slot, Index) {
        Scratch& s = of(slot);
        gates(b, s.gate_gradient.data(), s.of_places.data(), s.of_largest.data());
      }),
      // The maps of G that were read last are the nearest.
      ImageStage(channels, [&](Index b, Index slot, Index turn) { write_map(p, b, channels - 1 - turn, of(slot), out); }));
  // A partial sum an image, added in their order.
  add_parts(spatial_weights.data(), p.batch(), taps, out.spatial_weight.data());
  gates.finish(true, out);
}

std::size_t cbam_backward_fused_workspace(const CbamBackwardProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads()) * Scratch::bytes(p) + CbamBackwardGates::bytes(p) +
         static_cast<std::size_t>(p.batch()) * p.spatial_weight.size() * sizeof(float);
}

}  // namespace attention::convolutional
