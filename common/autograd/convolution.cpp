#include "autograd/convolution.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "autograd/arithmetic.hpp"
#include "autograd/product.hpp"
#include "simd/channels_last.hpp"

namespace attention::autograd {

namespace {

using simd::ConvolutionSizes;
using tensor::UnsetBuffer;

template <class Real>
ConvolutionSizes sizes_of(const Variable<Real>& x, const Variable<Real>& weights, Index dilation) {
  const bool fits = x.rank() == 4 && weights.rank() == 4 && x.extent(3) == weights.extent(2) && weights.extent(0) % 2 == 1 &&
                    weights.extent(1) % 2 == 1 && dilation >= 1;
  if (!fits)
    throw std::invalid_argument(fmt::format("{} and weights {}, dilation {}, have no convolution", as_text(x.shape()), as_text(weights.shape()), dilation));
  return {x.extent(1), x.extent(2), x.extent(3), weights.extent(3), weights.extent(0), weights.extent(1), dilation};
}

/// The float kernels, for the pictures of a batch one after the other.
struct Pictures {
  Pictures(const ConvolutionSizes& s, const float* weights) : sizes(s), padded(size(s.padded_size())), packed(size(s.packed_size())) {
    simd::pack_weights(s, weights, packed.data());
  }
  void convolve(const float* picture, float* output) {
    simd::pad(sizes, picture, padded.data());
    simd::convolve(sizes, padded.data(), packed.data(), output);
  }

  ConvolutionSizes sizes;
  UnsetBuffer padded, packed;
};

void forward(const ConvolutionSizes& s, Index batch, const float* x, const float* weights, float* y) {
  Pictures pictures(s, weights);
  for (Index b = 0; b < batch; ++b) pictures.convolve(x + b * s.pixels() * s.in, y + b * s.pixels() * s.out);
}

void add_to_input(const ConvolutionSizes& s, Index batch, const float* gradient, const float* weights, float* into) {
  UnsetBuffer turned(size(s.depth() * s.out));
  simd::turn_weights(s, weights, turned.data());
  Pictures pictures(s.backwards(), turned.data());
  UnsetBuffer found(size(s.pixels() * s.in));
  for (Index b = 0; b < batch; ++b) {
    pictures.convolve(gradient + b * s.pixels() * s.out, found.data());
    add(found.data(), s.pixels() * s.in, into + b * s.pixels() * s.in);
  }
}

void add_to_weights(const ConvolutionSizes& s, Index batch, const float* x, const float* gradient, float* into) {
  UnsetBuffer padded(size(s.padded_size()));
  for (Index b = 0; b < batch; ++b) {
    simd::pad(s, x + b * s.pixels() * s.in, padded.data());
    simd::add_weight_gradient(s, padded.data(), gradient + b * s.pixels() * s.out, into);
  }
}

/// The sum in plain loops, for float64: use(output's place, input's place, weight's place) for every product of it.
template <class Use>
void for_products(const ConvolutionSizes& s, Index batch, Use use) {
  for (Index b = 0; b < batch; ++b)
    for (Index y = 0; y < s.height; ++y)
      for (Index x = 0; x < s.width; ++x)
        for (Index u = 0; u < s.kernel_height; ++u)
          for (Index v = 0; v < s.kernel_width; ++v) {
            const Index row = y + u * s.dilation - s.border_height(), column = x + v * s.dilation - s.border_width();
            if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
            for (Index c = 0; c < s.in; ++c)
              for (Index o = 0; o < s.out; ++o)
                use(((b * s.height + y) * s.width + x) * s.out + o, ((b * s.height + row) * s.width + column) * s.in + c,
                    ((u * s.kernel_width + v) * s.in + c) * s.out + o);
          }
}

void forward(const ConvolutionSizes& s, Index batch, const double* x, const double* weights, double* y) {
  std::fill_n(y, batch * s.pixels() * s.out, 0.0);
  for_products(s, batch, [=](Index out, Index in, Index weight) { y[out] += x[in] * weights[weight]; });
}

void add_to_input(const ConvolutionSizes& s, Index batch, const double* gradient, const double* weights, double* into) {
  for_products(s, batch, [=](Index out, Index in, Index weight) { into[in] += gradient[out] * weights[weight]; });
}

void add_to_weights(const ConvolutionSizes& s, Index batch, const double* x, const double* gradient, double* into) {
  for_products(s, batch, [=](Index out, Index in, Index weight) { into[weight] += gradient[out] * x[in]; });
}

}  // namespace

template <class Real>
Variable<Real> convolution(const Variable<Real>& x, const Variable<Real>& weights, Index dilation) {
  const ConvolutionSizes s = sizes_of(x, weights, dilation);
  const Index batch = x.extent(0);
  ArrayOf<Real> result = tensor::empty_array<Real>({size(batch), size(s.height), size(s.width), size(s.out)});
  forward(s, batch, x.data(), weights.data(), result.data());
  return x.tape().record(std::move(result), {x, weights}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    if (x.needs_gradient()) add_to_input(s, batch, gradient.data(), weights.data(), x.gradient());
    if (weights.needs_gradient()) add_to_weights(s, batch, x.data(), gradient.data(), weights.gradient());
  });
}

template <class Real>
Variable<Real> max_pool(const Variable<Real>& x, Index side) {
  if (x.rank() != 4 || side < 1 || x.extent(1) < side || x.extent(2) < side)
    throw std::invalid_argument(fmt::format("{} has no squares of {} × {} pixels", as_text(x.shape()), side, side));
  const Index batch = x.extent(0), height = x.extent(1), width = x.extent(2), channels = x.extent(3);
  const Index rows = height / side, columns = width / side;
  ArrayOf<Real> result = tensor::empty_array<Real>({size(batch), size(rows), size(columns), size(channels)});
  std::vector<std::uint8_t> chosen(result.size());
  if (side > 15) throw std::invalid_argument(fmt::format("squares of {} × {} pixels: at most 15 × 15", side, side));
  for (Index b = 0; b < batch; ++b)
    for (Index y = 0; y < rows; ++y)
      for (Index column = 0; column < columns; ++column) {
        const Index to = ((b * rows + y) * columns + column) * channels;
        const Real* corner = x.data() + ((b * height + y * side) * width + column * side) * channels;
        Real* best = result.data() + to;
        std::uint8_t* which = chosen.data() + to;
        std::copy_n(corner, channels, best);
        std::fill_n(which, channels, std::uint8_t{0});
        for (Index tap = 1; tap < side * side; ++tap) {
          const Real* from = corner + (tap / side * width + tap % side) * channels;
          for (Index c = 0; c < channels; ++c) {
            const bool larger = from[c] > best[c];
            best[c] = larger ? from[c] : best[c];
            which[c] = larger ? static_cast<std::uint8_t>(tap) : which[c];
          }
        }
      }
  return x.tape().record(std::move(result), {x}, [=, chosen = std::move(chosen)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    const Real* from = gradient.data();
    std::size_t at = 0;
    for (Index b = 0; b < batch; ++b)
      for (Index y = 0; y < rows; ++y)
        for (Index column = 0; column < columns; ++column)
          for (Index c = 0; c < channels; ++c, ++at) {
            const Index tap = chosen[at];
            into[((b * height + y * side + tap / side) * width + column * side + tap % side) * channels + c] += from[at];
          }
  });
}

template Variable<float> convolution(const Variable<float>&, const Variable<float>&, Index);
template Variable<double> convolution(const Variable<double>&, const Variable<double>&, Index);
template Variable<float> max_pool(const Variable<float>&, Index);
template Variable<double> max_pool(const Variable<double>&, Index);

}  // namespace attention::autograd
