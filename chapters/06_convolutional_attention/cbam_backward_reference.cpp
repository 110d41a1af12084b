#include <algorithm>
#include <cmath>
#include <vector>

#include "cbam_backward.hpp"

namespace attention::convolutional {

namespace {

using Reference = CbamBackwardReference;
using Numbers = std::vector<double>;

double wide(float x) { return static_cast<double>(x); }
Numbers numbers(Index n) { return Numbers(static_cast<std::size_t>(n)); }

/// Keeps the largest of what a sum became, and gives the sum.
double watched(const WatchedSum& sum, double& largest) {
  largest = std::max(largest, sum.extent());
  return sum.value;
}
void see(double x, double& largest) {
  if (std::isfinite(x)) largest = std::max(largest, std::abs(x));
}

/// A plane's number, 0 beyond its border.
double at(const CbamProblem& p, const double* plane, Index y, Index x) {
  return y >= 0 && y < p.height() && x >= 0 && x < p.width() ? plane[y * p.width() + x] : 0;
}

/// The small gradients of all images.
struct Small {
  Numbers spatial;        ///< dT: [batch, places]
  Numbers channel;        ///< dt: [batch, channels]
  Numbers mean, largest;  ///< dh_a, dh_m: [batch, hidden]
};

/// dT of image b.
void spatial_arguments(const CbamBackwardProblem& p, const CbamKept<double>& kept, Index b, double* dT,
                       Reference& out) {
  for (Index i = 0; i < p.places(); ++i) {
    WatchedSum sum;
    for (Index c = 0; c < p.channels(); ++c)
      sum.add(kept.channel_gate.data()[b * p.channels() + c] * wide(p.gradient_of(b, c)[i]) * wide(p.map_of(b, c)[i]));
    const double gate = kept.spatial_gate.data()[b * p.places() + i];
    dT[i] = watched(sum, out.place_sums) * (gate * (1 - gate));
    see(gate * (1 - gate), out.spatial_slope);
    see(dT[i], out.spatial_arguments);
  }
}

/// dP_w of image b.
Numbers pool_gradient(const CbamBackwardProblem& p, const double* dT, Index which, Reference& out) {
  Numbers pool = numbers(p.places());
  for (Index i = 0; i < p.places(); ++i) {
    WatchedSum sum;
    for (Index u = 0; u < p.kernel(); ++u)
      for (Index v = 0; v < p.kernel(); ++v)
        sum.add(wide(p.spatial_weight.data()[(which * p.kernel() + u) * p.kernel() + v]) *
                at(p, dT, i / p.width() - u + p.radius(), i % p.width() - v + p.radius()));
    pool[static_cast<std::size_t>(i)] = watched(sum, out.pool_sums);
  }
  return pool;
}

/// dF′ of image b, [channels, places], from its parts.
Numbers gated_gradient(const CbamBackwardProblem& p, const CbamKept<double>& kept, Index b, const double* dT,
                       Reference& out) {
  const Index places = p.places();
  const Numbers of_mean = pool_gradient(p, dT, 0, out);
  const Numbers of_largest = pool_gradient(p, dT, 1, out);
  Numbers gated = numbers(p.image_size());
  for (Index c = 0; c < p.channels(); ++c)
    for (Index i = 0; i < places; ++i) {
      const auto place = static_cast<std::size_t>(i);
      const double direct = kept.spatial_gate.data()[b * places + i] * wide(p.gradient_of(b, c)[i]);
      const bool has_it = kept.largest_channel.data()[b * places + i] == c;
      const double sum = direct + of_mean[place] / static_cast<double>(p.channels()) + (has_it ? of_largest[place] : 0);
      gated[static_cast<std::size_t>(c * places + i)] = sum;
      see(direct, out.gated);
      see(sum, out.gated);
    }
  return gated;
}

/// Everything of image b but its part of the weights' gradients.
void one_image(const CbamBackwardProblem& p, const CbamKept<double>& kept, Index b, Small& small, Reference& out) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  const Index places = p.places();
  double* dT = small.spatial.data() + b * places;
  double* dt = small.channel.data() + b * channels;
  double* dh[] = {small.mean.data() + b * hidden, small.largest.data() + b * hidden};
  spatial_arguments(p, kept, b, dT, out);
  const Numbers gated = gated_gradient(p, kept, b, dT, out);
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum, direct, rest, squares;
    for (Index i = 0; i < places; ++i) {
      const double x = wide(p.map_of(b, c)[i]);
      const double whole = gated[static_cast<std::size_t>(c * places + i)];
      const double first = kept.spatial_gate.data()[b * places + i] * wide(p.gradient_of(b, c)[i]);
      sum.add(whole * x);
      direct.add(first * x);
      rest.add((whole - first) * x);
      squares.add(x * x);
    }
    see(direct.extent() + rest.extent(), out.channel_sums);
    see(std::sqrt(squares.value), out.map_norm);
    const double gate = kept.channel_gate.data()[b * channels + c];
    dt[c] = watched(sum, out.channel_sums) * (gate * (1 - gate));
    see(gate * (1 - gate), out.channel_slope);
    see(dt[c], out.channel_arguments);
  }
  for (Index j = 0; j < hidden; ++j) {
    WatchedSum sum;
    for (Index c = 0; c < channels; ++c) sum.add(wide(p.expand_weight.data()[c * hidden + j]) * dt[c]);
    const double open = watched(sum, out.hidden_sums);
    dh[0][j] = kept.hidden_mean.data()[b * hidden + j] <= 0 ? 0 : open;
    dh[1][j] = kept.hidden_largest.data()[b * hidden + j] <= 0 ? 0 : open;
  }
  for (Index c = 0; c < channels; ++c) {
    WatchedSum shift[2];
    for (Index j = 0; j < hidden; ++j)
      for (int which = 0; which < 2; ++which)
        shift[which].add(wide(p.reduce_weight.data()[j * channels + c]) * dh[which][j]);
    const double of_mean = watched(shift[0], out.shift_sums) / static_cast<double>(places);
    const double of_largest = watched(shift[1], out.shift_sums);
    const double gate = kept.channel_gate.data()[b * channels + c];
    double* to = out.input.data() + (b * channels + c) * places;
    for (Index i = 0; i < places; ++i) to[i] = gate * gated[static_cast<std::size_t>(c * places + i)] + of_mean;
    to[kept.largest_place.data()[b * channels + c]] += of_largest;
  }
}

/// Σ over the images of the small gradients times what they were multiplied by.
void weights(const CbamBackwardProblem& p, const CbamKept<double>& kept, const Small& small, Reference& out) {
  const Index channels = p.channels();
  const Index hidden = p.hidden();
  for (Index c = 0; c < channels; ++c)
    for (Index j = 0; j < hidden; ++j) {
      WatchedSum expand, reduce;
      for (Index b = 0; b < p.batch(); ++b) {
        const Index unit = b * hidden + j;
        const Index channel = b * channels + c;
        const auto of = [](const Numbers& n, Index i) { return n[static_cast<std::size_t>(i)]; };
        expand.add(of(small.channel, channel) * kept.hidden_mean.data()[unit]);
        expand.add(of(small.channel, channel) * kept.hidden_largest.data()[unit]);
        reduce.add(of(small.mean, unit) * kept.mean.data()[channel]);
        reduce.add(of(small.largest, unit) * kept.largest.data()[channel]);
      }
      out.expand_weight.data()[c * hidden + j] = watched(expand, out.expand_weight_sums);
      out.reduce_weight.data()[j * channels + c] = watched(reduce, out.reduce_weight_sums);
    }
  for (Index tap = 0; tap < static_cast<Index>(out.spatial_weight.size()); ++tap) {
    const Index square = p.kernel() * p.kernel();
    WatchedSum sum;
    for (Index b = 0; b < p.batch(); ++b)
      for (Index i = 0; i < p.places(); ++i)
        sum.add(small.spatial[static_cast<std::size_t>(b * p.places() + i)] *
                at(p, kept.pooled.data() + (2 * b + tap / square) * p.places(),
                   i / p.width() + tap % square / p.kernel() - p.radius(),
                   i % p.width() + tap % p.kernel() - p.radius()));
    out.spatial_weight.data()[tap] = watched(sum, out.spatial_weight_sums);
  }
}

}  // namespace

Reference backward_reference(const CbamBackwardProblem& p, const CbamKept<double>& kept) {
  Reference out;
  out.input = TensorOf<double, 4>(p.input.shape());
  out.reduce_weight = TensorOf<double, 2>(p.reduce_weight.shape());
  out.expand_weight = TensorOf<double, 2>(p.expand_weight.shape());
  out.spatial_weight = TensorOf<double, 3>(p.spatial_weight.shape());
  Small small{numbers(p.batch() * p.places()), numbers(p.batch() * p.channels()), numbers(p.batch() * p.hidden()),
              numbers(p.batch() * p.hidden())};
  for (Index b = 0; b < p.batch(); ++b) one_image(p, kept, b, small, out);
  weights(p, kept, small, out);
  return out;
}

Reference backward_reference(const CbamBackwardProblem& p) {
  return backward_reference(
      p, {widened(p.kept.mean), widened(p.kept.largest), p.kept.largest_place, widened(p.kept.hidden_mean),
          widened(p.kept.hidden_largest), widened(p.kept.channel_gate), widened(p.kept.pooled), p.kept.largest_channel,
          widened(p.kept.spatial_gate)});
}

}  // namespace attention::convolutional
