#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cbam.hpp"

namespace attention::convolutional {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// A running maximum and the first place that has it; the first NaN is larger than anything.
struct Largest {
  double value = -std::numeric_limits<double>::infinity();
  std::int32_t at = 0;

  void see(double x, Index where) {
    if (!(x > value || (x != x && value == value))) return;
    value = x;
    at = static_cast<std::int32_t>(where);
  }
};

/// The images' figures are put together by this.
void take_larger(CbamReference& all, const CbamReference& one) {
  for (const auto figure : {&CbamReference::pool_sums, &CbamReference::hidden_sums, &CbamReference::gate_sums,
                            &CbamReference::channel_slope, &CbamReference::channel_moves, &CbamReference::gated,
                            &CbamReference::place_sums, &CbamReference::spatial_sums, &CbamReference::spatial_slope,
                            &CbamReference::spatial_moves})
    all.*figure = std::max(all.*figure, one.*figure);
}

double finite(double x) { return std::isfinite(x) ? x : 0; }

/// unit = max(0, W₀ pooled); W₁ unit, added to `argument`.
void add_excitation(const CbamProblem& p, const double* pooled, double* unit, std::vector<WatchedSum>& argument,
                    CbamReference& figures) {
  for (Index j = 0; j < p.hidden(); ++j) {
    WatchedSum sum;
    for (Index c = 0; c < p.channels(); ++c) sum.add(static_cast<double>(p.reduce_weight(at(j), at(c))) * pooled[c]);
    unit[j] = relu(sum.value);
    figures.hidden_sums = std::max(figures.hidden_sums, sum.extent());
  }
  for (Index c = 0; c < p.channels(); ++c)
    for (Index j = 0; j < p.hidden(); ++j) argument[at(c)].add(static_cast<double>(p.expand_weight(at(c), at(j))) * unit[j]);
}

/// The convolution of the two pooled maps at one place.
WatchedSum spatial_argument(const CbamProblem& p, const double* mean, const double* largest, Index y, Index x) {
  WatchedSum sum;
  for (Index u = 0; u < p.kernel(); ++u)
    for (Index v = 0; v < p.kernel(); ++v) {
      const Index row = y + u - p.radius();
      const Index column = x + v - p.radius();
      // The border's zeros are multiplied like anything else: an infinite weight shows there, too.
      const bool inside = row >= 0 && row < p.height() && column >= 0 && column < p.width();
      const Index place = row * p.width() + column;
      sum.add(static_cast<double>(p.spatial_weight(0, at(u), at(v))) * (inside ? mean[place] : 0));
      sum.add(static_cast<double>(p.spatial_weight(1, at(u), at(v))) * (inside ? largest[place] : 0));
    }
  return sum;
}

/// One image into `out`; gives its figures.
CbamReference one_image(const CbamProblem& p, Index b, CbamReference& out) {
  CbamReference figures;
  const Index channels = p.channels();
  const Index places = p.places();
  double* mean = out.kept.mean.data() + b * channels;
  double* largest = out.kept.largest.data() + b * channels;
  for (Index c = 0; c < channels; ++c) {
    WatchedSum sum;
    Largest most;
    for (Index i = 0; i < places; ++i) {
      const auto x = static_cast<double>(p.map_of(b, c)[i]);
      sum.add(x);
      most.see(x, i);
    }
    mean[c] = sum.value / static_cast<double>(places);
    largest[c] = most.value;
    out.kept.largest_place.data()[b * channels + c] = most.at;
    figures.pool_sums = std::max(figures.pool_sums, sum.extent());
  }
  std::vector<WatchedSum> argument(at(channels));
  add_excitation(p, mean, out.kept.hidden_mean.data() + b * p.hidden(), argument, figures);
  add_excitation(p, largest, out.kept.hidden_largest.data() + b * p.hidden(), argument, figures);

  std::vector<WatchedSum> over_channels(at(places));
  std::vector<Largest> most(at(places));
  for (Index c = 0; c < channels; ++c) {
    const double gate = sigmoid(argument[at(c)].value);
    const double slope = finite(gate * (1 - gate));
    out.channel_gate_of(b)[c] = gate;
    figures.gate_sums = std::max(figures.gate_sums, argument[at(c)].extent());
    figures.channel_slope = std::max(figures.channel_slope, slope);
    for (Index i = 0; i < places; ++i) {
      const double x = gate * static_cast<double>(p.map_of(b, c)[i]);
      over_channels[at(i)].add(x);
      most[at(i)].see(x, c);
      figures.channel_moves = std::max(figures.channel_moves, finite(slope * std::abs(static_cast<double>(p.map_of(b, c)[i]))));
      figures.gated = std::max(figures.gated, finite(std::abs(x)));
    }
  }
  double* average = out.kept.pooled.data() + 2 * b * places;
  for (Index i = 0; i < places; ++i) {
    average[i] = over_channels[at(i)].value / static_cast<double>(channels);
    average[places + i] = most[at(i)].value;
    out.kept.largest_channel.data()[b * places + i] = most[at(i)].at;
    figures.place_sums = std::max(figures.place_sums, over_channels[at(i)].extent());
  }

  for (Index i = 0; i < places; ++i) {
    const WatchedSum sum = spatial_argument(p, average, average + places, i / p.width(), i % p.width());
    const double gate = sigmoid(sum.value);
    const double slope = finite(gate * (1 - gate));
    out.spatial_gate_of(b)[i] = gate;
    figures.spatial_sums = std::max(figures.spatial_sums, sum.extent());
    figures.spatial_slope = std::max(figures.spatial_slope, slope);
    for (Index c = 0; c < channels; ++c) {
      const double x = out.channel_gate_of(b)[c] * static_cast<double>(p.map_of(b, c)[i]);
      out.map_of(b, c)[i] = gate * x;
      figures.spatial_moves = std::max(figures.spatial_moves, finite(slope * std::abs(x)));
    }
  }
  return figures;
}

}  // namespace

CbamReference reference(const CbamProblem& p) {
  const auto& shape = p.input.shape();
  CbamReference out;
  out.output = tensor::empty<4, double>({shape[0], shape[1], shape[2], shape[3]});
  out.channel_gate = tensor::empty<2, double>({shape[0], shape[1]});
  out.spatial_gate = tensor::empty<3, double>({shape[0], shape[2], shape[3]});
  const std::array of_channels{shape[0], shape[1]};
  const std::array of_hidden{shape[0], p.reduce_weight.shape()[0]};
  out.kept.mean = tensor::empty<2, double>(of_channels);
  out.kept.largest = tensor::empty<2, double>(of_channels);
  out.kept.largest_place = tensor::empty<2, std::int32_t>(of_channels);
  out.kept.hidden_mean = tensor::empty<2, double>(of_hidden);
  out.kept.hidden_largest = tensor::empty<2, double>(of_hidden);
  out.kept.pooled = tensor::empty<4, double>({shape[0], 2, shape[2], shape[3]});
  out.kept.largest_channel = tensor::empty<3, std::int32_t>({shape[0], shape[2], shape[3]});
#pragma omp parallel for
  for (Index b = 0; b < p.batch(); ++b) {
    const CbamReference figures = one_image(p, b, out);
#pragma omp critical
    take_larger(out, figures);
  }
  return out;
}

}  // namespace attention::convolutional
