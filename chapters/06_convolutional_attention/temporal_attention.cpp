#include "temporal_attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <stdexcept>

#include "numerics/random.hpp"
#include "numerics/statistics.hpp"

namespace attention::convolutional {

tensor::Tensor<2> frame_attention(const tensor::Tensor<2>& features, float temperature) {
  const std::size_t frames = features.shape(0), dim = features.shape(1);
  tensor::Tensor<2> weights = tensor::empty<2>({frames, frames});
  std::vector<double> distances;
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t s = 0; s < frames; ++s) {
      double sum = 0;
      for (std::size_t k = 0; k < dim; ++k) {
        const double d = static_cast<double>(features(t, k)) - static_cast<double>(features(s, k));
        sum += d * d;
      }
      weights(t, s) = static_cast<float>(sum);
      if (s < t) distances.push_back(sum);
    }
  const double median = distances.empty() ? 0 : numerics::median(distances);
  const double scale = median > 0 ? 1 / (2 * static_cast<double>(temperature) * median) : 0;
  for (std::size_t t = 0; t < frames; ++t) {
    // The nearest frame is the frame itself: no score is above 0.
    double sum = 0;
    for (std::size_t s = 0; s < frames; ++s) {
      const double w = std::exp(-scale * static_cast<double>(weights(t, s)));
      weights(t, s) = static_cast<float>(w);
      sum += w;
    }
    for (std::size_t s = 0; s < frames; ++s) weights(t, s) = static_cast<float>(static_cast<double>(weights(t, s)) / sum);
  }
  return weights;
}

std::vector<Index> pick_by_attention(const tensor::Tensor<2>& weights, Index count) {
  const std::size_t frames = weights.shape(0);
  std::vector<float> best(frames, 0);
  std::vector<Index> picked;
  while (std::ssize(picked) < count && picked.size() < frames) {
    double most = -1;
    std::size_t next = 0;
    for (std::size_t s = 0; s < frames; ++s) {
      if (std::ranges::find(picked, static_cast<Index>(s)) != picked.end()) continue;
      double gain = 0;
      for (std::size_t t = 0; t < frames; ++t) gain += std::max(0.0, static_cast<double>(weights(t, s)) - static_cast<double>(best[t]));
      if (gain <= most) continue;
      most = gain;
      next = s;
    }
    picked.push_back(static_cast<Index>(next));
    for (std::size_t t = 0; t < frames; ++t) best[t] = std::max(best[t], weights(t, next));
  }
  std::ranges::sort(picked);
  return picked;
}

std::vector<Index> pick_uniformly(Index frames, Index count) {
  std::vector<Index> picked;
  for (Index i = 0; i < std::min(count, frames); ++i) picked.push_back((2 * i + 1) * frames / (2 * std::min(count, frames)));
  return picked;
}

Index find_change(const tensor::Tensor<2>& weights) {
  const auto frames = static_cast<Index>(weights.shape(0));
  Index change = 0;
  double least = 0;
  for (Index cut = 2; cut + 2 <= frames; ++cut) {
    double across = 0, first = 0, second = 0;
    for (Index t = 0; t < frames; ++t)
      for (Index s = 0; s < frames; ++s) {
        // A frame's look at itself says nothing of the others.
        if (t == s) continue;
        const auto w = static_cast<double>(weights(size(t), size(s)));
        (t < cut ? first : second) += w;
        if ((t < cut) != (s < cut)) across += w;
      }
    const double cost = first > 0 && second > 0 ? across / 2 * (1 / first + 1 / second) : 0;
    if (change == 0 || cost < least) {
      change = cut;
      least = cost;
    }
  }
  return change;
}

double loss_of_pick(const tensor::Tensor<2>& features, const std::vector<Index>& picked) {
  const std::size_t frames = features.shape(0), dim = features.shape(1);
  double all = 0;
  for (std::size_t t = 0; t < frames; ++t) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const Index s : picked) {
      double sum = 0;
      for (std::size_t k = 0; k < dim; ++k) {
        const double d = static_cast<double>(features(t, k)) - static_cast<double>(features(size(s), k));
        sum += d * d;
      }
      nearest = std::min(nearest, std::sqrt(sum));
    }
    all += nearest;
  }
  return all / static_cast<double>(frames);
}

std::vector<float> small_pixels(const float* frame, Index height, Index width, Index side) {
  std::vector<float> numbers;
  for (Index y = 0; y + side <= height; y += side)
    for (Index x = 0; x + side <= width; x += side) {
      float sum = 0;
      for (Index i = 0; i < side; ++i)
        for (Index j = 0; j < side; ++j) sum += frame[(y + i) * width + x + j];
      numbers.push_back(sum / static_cast<float>(side * side));
    }
  return numbers;
}

SyntheticClip synthetic_clip(const tensor::Tensor<3>& pictures, Index frames, std::uint64_t seed) {
  const auto scenes = static_cast<Index>(pictures.shape(0)), height = static_cast<Index>(pictures.shape(1)), width = static_cast<Index>(pictures.shape(2));
  if (scenes < 1 || frames < scenes) throw std::invalid_argument("a clip has at least one frame a scene");
  numerics::Random random(seed);
  // Cuts at random places, no two alike: every scene has a frame.
  std::set<Index> cuts;
  while (std::ssize(cuts) < scenes - 1) cuts.insert(1 + static_cast<Index>(random.bits() % static_cast<std::uint64_t>(frames - 1)));
  SyntheticClip clip{tensor::empty<3>({size(frames), size(height), size(width)}), {}, scenes};
  Index scene = 0;
  float* to = clip.frames.data();
  for (Index t = 0; t < frames; ++t) {
    scene += cuts.contains(t) ? 1 : 0;
    clip.scene.push_back(scene);
    const Index down = static_cast<Index>(random.bits() % 3) - 1, right = static_cast<Index>(random.bits() % 3) - 1;
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x) {
        const Index row = std::clamp<Index>(y - down, 0, height - 1), column = std::clamp<Index>(x - right, 0, width - 1);
        *to++ = std::clamp(pictures(size(scene), size(row), size(column)) + 0.1F * random.normal(), 0.F, 1.F);
      }
  }
  return clip;
}

double scenes_shown(const SyntheticClip& clip, const std::vector<Index>& picked) {
  std::set<Index> shown;
  for (const Index t : picked) shown.insert(clip.scene.at(size(t)));
  return static_cast<double>(shown.size()) / static_cast<double>(clip.scenes);
}

}  // namespace attention::convolutional
