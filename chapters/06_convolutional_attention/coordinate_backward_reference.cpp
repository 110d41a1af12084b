#include <cmath>

#include "coordinate_backward.hpp"
#include "running_error.hpp"

namespace attention::convolutional {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Rounded swish(Rounded u) {
  return rounded(hard_swish(u.value), 1.5 * u.error + 6 * numerics::unit_roundoff * (std::abs(u.value) + 3));
}

/// A unit whose argument is nearer to a kink than float32 can tell may be on either side of it.
Rounded swish_slope(Rounded u) {
  const bool at_a_kink = std::abs(std::abs(u.value) - 3) <= u.error;
  return {hard_swish_slope(u.value), u.error / 3 + 4 * numerics::unit_roundoff + (at_a_kink ? 0.5 : 0)};
}

/// What the images add to the gradients of the weights, one image after the other.
struct Shares {
  RoundedNumbers reduce_weight, reduce_bias;
  std::array<RoundedNumbers, 2> weight, bias;  ///< of the rows' layer, of the columns'
};

/// [rows × columns] of `element(row, column)`
template <class Element>
RoundedNumbers matrix(Index rows, Index columns, Element element) {
  RoundedNumbers to;
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < columns; ++c) to.push_back(element(i, c));
  return to;
}

template <class Term>
Rounded sum(Index n, Term term) {
  RoundedSum all;
  for (Index k = 0; k < n; ++k) all.add(term(k));
  return all.total();
}

/// What one side, the rows or the columns, has of an image: [channels × places] and [hidden × places].
struct Side {
  Index places;
  const Tensor<2>& weight;
  const Tensor<1>& bias;
  RoundedNumbers mean = {}, argument = {}, unit = {}, gate = {}, argument_gradient = {}, unit_gradient = {},
                 mean_gradient = {};
};

Shares one_image(const CoordinateBackwardProblem& p, Index b, Rounded* input) {
  const CoordinateProblem& f = p.forward;
  const Index height = f.height();
  const Index width = f.width();
  const Index channels = f.channels();
  const Index hidden = f.hidden();
  const auto x = [&](Index c, Index i, Index j) { return given(f.map_of(b, c)[i * width + j]); };
  const auto dy = [&](Index c, Index i, Index j) {
    return given(p.output_gradient.data()[(b * channels + c) * f.places() + i * width + j]);
  };
  std::array sides{Side{height, f.row_weight, f.row_bias}, Side{width, f.column_weight, f.column_bias}};
  sides[0].mean = matrix(channels, height, [&](Index c, Index i) {
    return sum(width, [&](Index j) { return x(c, i, j); }) / static_cast<double>(width);
  });
  sides[1].mean = matrix(channels, width, [&](Index c, Index j) {
    return sum(height, [&](Index i) { return x(c, i, j); }) / static_cast<double>(height);
  });
  for (Side& s : sides) {
    s.argument = matrix(hidden, s.places, [&](Index k, Index i) {
      return sum(channels + 1, [&](Index c) {
        return c < channels ? given(f.reduce_weight(at(k), at(c))) * s.mean[at(c * s.places + i)]
                            : given(f.reduce_bias(at(k)));
      });
    });
    for (const Rounded& u : s.argument) s.unit.push_back(swish(u));
    s.gate = matrix(channels, s.places, [&](Index c, Index i) {
      return sigmoid(sum(hidden + 1, [&](Index k) {
        return k < hidden ? given(s.weight(at(c), at(k))) * s.unit[at(k * s.places + i)] : given(s.bias(at(c)));
      }));
    });
  }
  const auto row_gate = [&](Index c, Index i) { return sides[0].gate[at(c * height + i)]; };
  const auto column_gate = [&](Index c, Index j) { return sides[1].gate[at(c * width + j)]; };
  sides[0].argument_gradient = matrix(channels, height, [&](Index c, Index i) {
    return sigmoid_slope(row_gate(c, i)) *
           sum(width, [&](Index j) { return dy(c, i, j) * x(c, i, j) * column_gate(c, j); });
  });
  sides[1].argument_gradient = matrix(channels, width, [&](Index c, Index j) {
    return sigmoid_slope(column_gate(c, j)) *
           sum(height, [&](Index i) { return dy(c, i, j) * x(c, i, j) * row_gate(c, i); });
  });
  Shares shares;
  for (std::size_t m = 0; m < 2; ++m) {
    Side& s = sides[m];
    const auto da = [&](Index c, Index i) { return s.argument_gradient[at(c * s.places + i)]; };
    shares.weight[m] = matrix(channels, hidden, [&](Index c, Index k) {
      return sum(s.places, [&](Index i) { return da(c, i) * s.unit[at(k * s.places + i)]; });
    });
    shares.bias[m] =
        matrix(channels, 1, [&](Index c, Index) { return sum(s.places, [&](Index i) { return da(c, i); }); });
    s.unit_gradient = matrix(hidden, s.places, [&](Index k, Index i) {
      return swish_slope(s.argument[at(k * s.places + i)]) *
             sum(channels, [&](Index c) { return given(s.weight(at(c), at(k))) * da(c, i); });
    });
    s.mean_gradient = matrix(channels, s.places, [&](Index c, Index i) {
      return sum(hidden,
                 [&](Index k) { return given(f.reduce_weight(at(k), at(c))) * s.unit_gradient[at(k * s.places + i)]; });
    });
  }
  const auto over_lines = [&](auto term) {
    return sum(f.lines(), [&](Index i) { return i < height ? term(sides[0], i) : term(sides[1], i - height); });
  };
  shares.reduce_weight = matrix(hidden, channels, [&](Index k, Index c) {
    return over_lines(
        [&](const Side& s, Index i) { return s.unit_gradient[at(k * s.places + i)] * s.mean[at(c * s.places + i)]; });
  });
  shares.reduce_bias = matrix(hidden, 1, [&](Index k, Index) {
    return over_lines([&](const Side& s, Index i) { return s.unit_gradient[at(k * s.places + i)]; });
  });
  for (Index c = 0; c < channels; ++c)
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j)
        *input++ = dy(c, i, j) * row_gate(c, i) * column_gate(c, j) +
                   sides[0].mean_gradient[at(c * height + i)] / static_cast<double>(width) +
                   sides[1].mean_gradient[at(c * width + j)] / static_cast<double>(height);
  return shares;
}

}  // namespace

CoordinateBackwardReference reference(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  CoordinateBackwardReference out;
  out.input = tensor::empty<4, double>(f.input.shape());
  RoundedNumbers input(f.input.size());
  std::vector<Shares> images(at(f.batch()));
#pragma omp parallel for
  for (Index b = 0; b < f.batch(); ++b) images[at(b)] = one_image(p, b, input.data() + b * f.image_size());
  const auto summed = [&](auto share, auto& to, const auto& like) {
    RoundedNumbers all;
    for (const Shares& image : images) all.insert(all.end(), share(image).begin(), share(image).end());
    to = std::remove_cvref_t<decltype(to)>(like.shape());
    return into(sums_of_rows(all, f.batch(), static_cast<Index>(like.size())), to);
  };
  out.errors = {into(input, out.input),
                summed(
                    [](const Shares& s) -> const auto& { return s.reduce_weight; }, out.reduce_weight, f.reduce_weight),
                summed(
                    [](const Shares& s) -> const auto& { return s.reduce_bias; }, out.reduce_bias, f.reduce_bias),
                summed(
                    [](const Shares& s) -> const auto& { return s.weight[0]; }, out.row_weight, f.row_weight),
                summed(
                    [](const Shares& s) -> const auto& { return s.bias[0]; }, out.row_bias, f.row_bias),
                summed(
                    [](const Shares& s) -> const auto& { return s.weight[1]; }, out.column_weight, f.column_weight),
                summed(
                    [](const Shares& s) -> const auto& { return s.bias[1]; }, out.column_bias, f.column_bias)};
  return out;
}

}  // namespace attention::convolutional
