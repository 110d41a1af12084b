#include <algorithm>
#include <cmath>
#include <vector>

#include "bam.hpp"

namespace attention::convolutional {

namespace {

using Numbers = std::vector<double>;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// The images' figures are put together by this.
void take_larger(BamReference& all, const BamReference& one) {
  for (const auto figure : {&BamReference::pool_sums, &BamReference::hidden_sums, &BamReference::channel_sums, &BamReference::slope,
                            &BamReference::moves})
    all.*figure = std::max(all.*figure, one.*figure);
  for (std::size_t layer = 0; layer < all.layer_sums.size(); ++layer)
    all.layer_sums[layer] = std::max(all.layer_sums[layer], one.layer_sums[layer]);
}

double finite(double x) { return std::isfinite(x) ? x : 0; }

/// One layer over all places of an image, without a ReLU. `maps` is [inputs][places]; the largest sum goes to `sums`.
Numbers convolved(const BamProblem& p, const BamLayer& layer, const Numbers& maps, double& sums) {
  const Index places = p.places();
  const Index kernel = layer.kernel();
  Numbers out;
  for (Index o = 0; o < layer.outputs(); ++o)
    for (Index i = 0; i < places; ++i) {
      WatchedSum sum;
      sum.add(static_cast<double>(layer.bias(at(o))));
      for (Index c = 0; c < layer.inputs(); ++c)
        for (Index u = 0; u < kernel; ++u)
          for (Index v = 0; v < kernel; ++v) {
            const Index y = i / p.width() + p.dilation * (u - kernel / 2);
            const Index x = i % p.width() + p.dilation * (v - kernel / 2);
            // The border's zeros are multiplied like anything else: an infinite weight shows there, too.
            const bool inside = y >= 0 && y < p.height() && x >= 0 && x < p.width();
            sum.add(static_cast<double>(layer.weight(at(o), at(c), at(u), at(v))) * (inside ? maps[at(c * places + y * p.width() + x)] : 0));
          }
      out.push_back(sum.value);
      sums = std::max(sums, sum.extent());
    }
  return out;
}

/// M_c of one image.
Numbers channel_branch(const BamProblem& p, Index b, BamReference& figures) {
  Numbers mean;
  for (Index c = 0; c < p.channels(); ++c) {
    WatchedSum sum;
    for (Index i = 0; i < p.places(); ++i) sum.add(static_cast<double>(p.map_of(b, c)[i]));
    mean.push_back(sum.value / static_cast<double>(p.places()));
    figures.pool_sums = std::max(figures.pool_sums, sum.extent());
  }
  Numbers unit;
  for (Index j = 0; j < p.hidden(); ++j) {
    WatchedSum sum;
    for (Index c = 0; c < p.channels(); ++c) sum.add(static_cast<double>(p.reduce_weight(at(j), at(c))) * mean[at(c)]);
    sum.add(static_cast<double>(p.reduce_bias(at(j))));
    unit.push_back(relu(sum.value));
    figures.hidden_sums = std::max(figures.hidden_sums, sum.extent());
  }
  Numbers branch;
  for (Index c = 0; c < p.channels(); ++c) {
    WatchedSum sum;
    for (Index j = 0; j < p.hidden(); ++j) sum.add(static_cast<double>(p.expand_weight(at(c), at(j))) * unit[at(j)]);
    sum.add(static_cast<double>(p.expand_bias(at(c))));
    branch.push_back(sum.value);
    figures.channel_sums = std::max(figures.channel_sums, sum.extent());
  }
  return branch;
}

/// M_s of one image.
Numbers spatial_branch(const BamProblem& p, Index b, BamReference& figures) {
  Numbers maps(p.image_of(b), p.image_of(b) + p.image_size());
  for (std::size_t layer = 0; layer < p.spatial.size(); ++layer) {
    if (layer > 0) std::ranges::transform(maps, maps.begin(), relu<double>);
    maps = convolved(p, p.spatial[layer], maps, figures.layer_sums[layer]);
  }
  return maps;
}

/// One image into `out`; gives its figures.
BamReference one_image(const BamProblem& p, Index b, BamReference& out) {
  BamReference figures;
  const Numbers of_channel = channel_branch(p, b, figures);
  const Numbers of_place = spatial_branch(p, b, figures);
  std::ranges::copy(of_channel, out.channel_branch_of(b));
  std::ranges::copy(of_place, out.spatial_branch_of(b));
  for (Index c = 0; c < p.channels(); ++c)
    for (Index i = 0; i < p.places(); ++i) {
      const auto x = static_cast<double>(p.map_of(b, c)[i]);
      const double gate = sigmoid(of_channel[at(c)] + of_place[at(i)]);
      const double slope = finite(gate * (1 - gate));
      out.map_of(b, c)[i] = (1 + gate) * x;
      figures.slope = std::max(figures.slope, slope);
      figures.moves = std::max(figures.moves, finite(slope * std::abs(x)));
    }
  return figures;
}

}  // namespace

BamReference reference(const BamProblem& p) {
  const auto& shape = p.input.shape();
  BamReference out;
  out.output = tensor::empty<4, double>({shape[0], shape[1], shape[2], shape[3]});
  out.channel_branch = tensor::empty<2, double>({shape[0], shape[1]});
  out.spatial_branch = tensor::empty<3, double>({shape[0], shape[2], shape[3]});
#pragma omp parallel for
  for (Index b = 0; b < p.batch(); ++b) {
    const BamReference figures = one_image(p, b, out);
#pragma omp critical
    take_larger(out, figures);
  }
  return out;
}

}  // namespace attention::convolutional
