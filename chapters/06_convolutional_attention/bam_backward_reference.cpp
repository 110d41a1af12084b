#include <cmath>

#include "bam_backward.hpp"
#include "running_error.hpp"

namespace attention::convolutional {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

template <class Term>
Rounded sum(Index n, Term term) {
  RoundedSum all;
  for (Index k = 0; k < n; ++k) all.add(term(k));
  return all.total();
}

/// The taps of a layer for one place: body(u, v, place) where tap (u, v) looks inside. `back`: the places that look
/// there with that tap.
template <class Body>
void for_taps(const BamProblem& f, const BamLayer& layer, Index place, bool back, Body body) {
  const Index reach = layer.kernel() / 2;
  for (Index u = 0; u < layer.kernel(); ++u)
    for (Index v = 0; v < layer.kernel(); ++v) {
      const Index step = back ? -f.dilation : f.dilation;
      const Index y = place / f.width() + step * (u - reach);
      const Index x = place % f.width() + step * (v - reach);
      if (y >= 0 && y < f.height() && x >= 0 && x < f.width()) body(u, v, y * f.width() + x);
    }
}

Rounded weight_of(const BamLayer& layer, Index o, Index c, Index u, Index v) {
  return given(layer.weight(at(o), at(c), at(u), at(v)));
}

/// What a layer gives for its maps, [outputs × places], before a ReLU.
RoundedNumbers convolved(const BamProblem& f, const BamLayer& layer, const RoundedNumbers& maps) {
  RoundedNumbers out;
  for (Index o = 0; o < layer.outputs(); ++o)
    for (Index i = 0; i < f.places(); ++i) {
      RoundedSum sum;
      sum.add(given(layer.bias(at(o))));
      for (Index c = 0; c < layer.inputs(); ++c)
        for_taps(f, layer, i, false, [&](Index u, Index v, Index j) {
          sum.add(weight_of(layer, o, c, u, v) * maps[at(c * f.places() + j)]);
        });
      out.push_back(sum.total());
    }
  return out;
}

/// The gradient of the maps from that of the outputs.
RoundedNumbers turned_round(const BamProblem& f, const BamLayer& layer, const RoundedNumbers& gradient) {
  RoundedNumbers out;
  for (Index c = 0; c < layer.inputs(); ++c)
    for (Index i = 0; i < f.places(); ++i) {
      RoundedSum sum;
      for (Index o = 0; o < layer.outputs(); ++o)
        for_taps(f, layer, i, true, [&](Index u, Index v, Index j) {
          sum.add(weight_of(layer, o, c, u, v) * gradient[at(o * f.places() + j)]);
        });
      out.push_back(sum.total());
    }
  return out;
}

/// The gradient of the weights, as they lie.
RoundedNumbers correlated(const BamProblem& f, const BamLayer& layer, const RoundedNumbers& gradient,
                          const RoundedNumbers& maps) {
  const Index taps = layer.kernel() * layer.kernel();
  std::vector<RoundedSum> sums(layer.weight.size());
  for (Index o = 0; o < layer.outputs(); ++o)
    for (Index c = 0; c < layer.inputs(); ++c)
      for (Index i = 0; i < f.places(); ++i)
        for_taps(f, layer, i, false, [&](Index u, Index v, Index j) {
          sums[at((o * layer.inputs() + c) * taps + u * layer.kernel() + v)].add(gradient[at(o * f.places() + i)] *
                                                                                 maps[at(c * f.places() + j)]);
        });
  RoundedNumbers out;
  for (const RoundedSum& one : sums) out.push_back(one.total());
  return out;
}

/// The sum of each row of [rows × columns].
RoundedNumbers row_sums(const RoundedNumbers& m, Index rows) {
  const Index columns = static_cast<Index>(m.size()) / rows;
  RoundedNumbers out;
  for (Index r = 0; r < rows; ++r) out.push_back(sum(columns, [&](Index i) { return m[at(r * columns + i)]; }));
  return out;
}

RoundedNumbers rectified(RoundedNumbers numbers) {
  for (Rounded& x : numbers) x = relu(x);
  return numbers;
}

/// What an image adds to the weights' gradients, in the order of for_each_bam_weight.
using Shares = std::array<RoundedNumbers, 12>;

Shares one_image(const BamBackwardProblem& p, Index b, Rounded* input) {
  const BamProblem& f = p.forward;
  const Index places = f.places();
  const Index channels = f.channels();
  const Index hidden = f.hidden();
  Shares shares;
  RoundedNumbers image;
  for (Index i = 0; i < f.image_size(); ++i) image.push_back(given(f.image_of(b)[i]));
  const auto dy = [&](Index c, Index i) { return given(p.output_gradient_of(b)[c * places + i]); };

  RoundedNumbers mean = row_sums(image, channels);
  for (Rounded& a : mean) a = a / static_cast<double>(places);
  RoundedNumbers argument, branch;
  for (Index j = 0; j < hidden; ++j)
    argument.push_back(sum(channels, [&](Index c) { return given(f.reduce_weight(at(j), at(c))) * mean[at(c)]; }) +
                       given(f.reduce_bias(at(j))));
  const RoundedNumbers unit = rectified(argument);
  for (Index c = 0; c < channels; ++c)
    branch.push_back(sum(hidden, [&](Index j) { return given(f.expand_weight(at(c), at(j))) * unit[at(j)]; }) +
                     given(f.expand_bias(at(c))));
  std::array<RoundedNumbers, 4> before;  // a layer's outputs before the ReLU
  for (std::size_t layer = 0; layer < 4; ++layer)
    before[layer] = convolved(f, f.spatial[layer], layer == 0 ? image : rectified(before[layer - 1]));

  RoundedNumbers gate, argument_gradient;
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < places; ++i) {
      // However e^−(a + b) is made, it rounds in proportion to |a| + |b|.
      Rounded z = branch[at(c)] + before[3][at(i)];
      z.error += 2 * numerics::unit_roundoff * (std::abs(branch[at(c)].value) + std::abs(before[3][at(i)].value));
      gate.push_back(sigmoid(z));
      argument_gradient.push_back(dy(c, i) * image[at(c * places + i)] * sigmoid_slope(gate.back()));
    }

  const RoundedNumbers of_channels = row_sums(argument_gradient, channels);
  RoundedNumbers unit_gradient;
  for (Index c = 0; c < channels; ++c)
    for (Index j = 0; j < hidden; ++j) shares[2].push_back(of_channels[at(c)] * unit[at(j)]);
  shares[3] = of_channels;
  for (Index j = 0; j < hidden; ++j) {
    unit_gradient.push_back(relu_slope(argument[at(j)]) * sum(channels, [&](Index c) {
                              return given(f.expand_weight(at(c), at(j))) * of_channels[at(c)];
                            }));
    for (Index c = 0; c < channels; ++c) shares[0].push_back(unit_gradient.back() * mean[at(c)]);
  }
  shares[1] = unit_gradient;

  RoundedNumbers gradient;
  for (Index i = 0; i < places; ++i)
    gradient.push_back(sum(channels, [&](Index c) { return argument_gradient[at(c * places + i)]; }));
  for (std::size_t layer = 4; layer-- > 0;) {
    shares[4 + 2 * layer] =
        correlated(f, f.spatial[layer], gradient, layer == 0 ? image : rectified(before[layer - 1]));
    shares[5 + 2 * layer] = row_sums(gradient, f.spatial[layer].outputs());
    gradient = turned_round(f, f.spatial[layer], gradient);
    if (layer > 0)
      for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] = gradient[i] * relu_slope(before[layer - 1][i]);
  }
  for (Index c = 0; c < channels; ++c) {
    const Rounded of_mean =
        sum(hidden, [&](Index j) { return given(f.reduce_weight(at(j), at(c))) * unit_gradient[at(j)]; }) /
        static_cast<double>(places);
    for (Index i = 0; i < places; ++i)
      *input++ = dy(c, i) * (Rounded{1, 0} + gate[at(c * places + i)]) + of_mean + gradient[at(c * places + i)];
  }
  return shares;
}

}  // namespace

BamBackwardReference reference(const BamBackwardProblem& p) {
  const BamProblem& f = p.forward;
  BamBackwardReference out;
  out.input = tensor::empty<4, double>(f.input.shape());
  RoundedNumbers input(f.input.size());
  std::vector<Shares> images(at(f.batch()));
#pragma omp parallel for
  for (Index b = 0; b < f.batch(); ++b) images[at(b)] = one_image(p, b, input.data() + b * f.image_size());
  out.errors[0] = into(input, out.input);
  std::vector<std::vector<std::size_t>> shapes;
  for_each_bam_weight(
      f, [&](const char*, const auto& weight) { shapes.emplace_back(weight.shape().begin(), weight.shape().end()); });
  std::size_t which = 0;
  for_each_bam_weight(out, [&](const char*, auto& gradient) {
    RoundedNumbers all;
    for (const Shares& image : images) all.insert(all.end(), image[which].begin(), image[which].end());
    gradient.resize(shapes[which]);
    out.errors[which + 1] = into(sums_of_rows(all, f.batch(), static_cast<Index>(gradient.size())), gradient);
    ++which;
  });
  return out;
}

}  // namespace attention::convolutional
