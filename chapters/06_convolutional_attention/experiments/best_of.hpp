#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "feature_maps.hpp"
#include "ladder/mechanism.hpp"
#include "machine/caches.hpp"
#include "machine/clock.hpp"

namespace attention::convolutional {

/// Seconds that each of these takes, run in turns: the best of `rounds`. What else runs on the machine makes all slower, not
/// their ratios.
template <class... Work>
std::array<double, sizeof...(Work)> best_of(int rounds, Work&&... work) {
  std::array<double, sizeof...(Work)> best;
  best.fill(std::numeric_limits<double>::infinity());
  for (int round = 0; round < rounds; ++round) {
    std::size_t which = 0;
    const auto time = [&](auto& f) {
      const double start = machine::now_seconds();
      f();
      best[which] = std::min(best[which], machine::now_seconds() - start);
      ++which;
    };
    (time(work), ...);
  }
  return best;
}

/// Images of so many bytes that, read and written, go beyond the last-level cache, but do not take the machine's memory.
inline Index batch_beyond_cache(double image_bytes) {
  const double wanted = std::min(1.25 * static_cast<double>(machine::caches().last_level_bytes()),
                                 static_cast<double>(machine::memory().available_bytes) / 8);
  return std::max<Index>(64, static_cast<Index>(wanted / image_bytes));
}

/// The mechanism's problem over these maps [batch, channels, height, width], which are lent and must outlive it.
template <class Mechanism>
auto with_maps(const Mechanism& mechanism, const Tensor<4>& maps) {
  auto problem = mechanism.make(
      ladder::parse_shape(fmt::format("batch=1,channels={},height=1", tensor::extent(maps, 1)), mechanism.keys), 1, ladder::Hardness::plain);
  problem.input = tensor::lent<4>(const_cast<float*>(maps.data()), maps.shape());
  return problem;
}

}  // namespace attention::convolutional
