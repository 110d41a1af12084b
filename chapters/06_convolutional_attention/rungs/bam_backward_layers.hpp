#pragma once

#include <algorithm>

#include "bam_backward.hpp"
#include "rungs/gathered_parts.hpp"

/// The way back through the layers of both branches of the bottleneck attention module, for one image: from the sums of
/// the arguments' gradients to what the maps get of them. `Parts` has the convolutions and sums in plain loops or by
/// vectors.
namespace attention::convolutional {

/// What images add to the gradients of the weights, side by side, in the order of for_each_bam_weight.
struct BamSums {
  static Index floats(const BamProblem& f) {
    Index all = 0;
    for_each_bam_weight(f, [&all](const char*, const auto& weight) { all += static_cast<Index>(weight.size()); });
    return all;
  }

  float *reduce_weight, *reduce_bias, *expand_weight, *expand_bias;
  std::array<float*, 4> weight, bias;
  BamSums(const BamProblem& f, float* at) {
    std::array<float*, 12> begin;
    std::size_t which = 0;
    for_each_bam_weight(f, [&](const char*, const auto& of) {
      begin[which++] = at;
      at += of.size();
    });
    reduce_weight = begin[0];
    reduce_bias = begin[1];
    expand_weight = begin[2];
    expand_bias = begin[3];
    for (std::size_t layer = 0; layer < 4; ++layer) {
      weight[layer] = begin[4 + 2 * layer];
      bias[layer] = begin[5 + 2 * layer];
    }
  }
};

/// Partial sums [parts × floats] become the gradients.
inline void finish_sums(const BamProblem& f, Index parts, tensor::Buffer& partial, BamBackwardOutput& out) {
  add_parts(partial.data(), parts, BamSums::floats(f), partial.data());
  const float* from = partial.data();
  for_each_bam_weight(out, [&from](const char*, auto& gradient) {
    std::copy_n(from, gradient.size(), gradient.data());
    from += gradient.size();
  });
}

/// What one image gets on its way.
struct BamGradients {
  tensor::Buffer channels;  ///< dM_c, then da / P: [channels]
  tensor::Buffer places;    ///< dM_s: [places]
  tensor::Buffer inner;     ///< d₂, then d₀: [hidden × places]
  tensor::Buffer between;   ///< d₁

  explicit BamGradients(const BamProblem& f)
      : channels(size(f.channels())),
        places(size(f.places())),
        inner(size(f.hidden() * f.places())),
        between(inner.size()) {}
  static Index floats(const BamProblem& f) { return f.channels() + (1 + 2 * f.hidden()) * f.places(); }
};

/// The channel branch: dM_c [channels] becomes da / P.
inline void channel_branch_backward(const BamBackwardProblem& p, Index b, const BamSums& sums, float* gradient) {
  const BamProblem& f = p.forward;
  const Index channels = f.channels();
  const Index hidden = f.hidden();
  const float* mean = p.mean.data() + b * channels;
  tensor::Buffer unit_gradient(static_cast<std::size_t>(hidden));
  for (Index j = 0; j < hidden; ++j) {
    float argument = 0;
    float sum = 0;
    for (Index c = 0; c < channels; ++c) {
      argument += f.reduce_weight.data()[j * channels + c] * mean[c];
      sum += f.expand_weight.data()[c * hidden + j] * gradient[c];
    }
    argument += f.reduce_bias.data()[j];
    const float unit = relu(argument);
    const float du = (argument > 0 ? 1.F : 0.F) * sum;
    unit_gradient[static_cast<std::size_t>(j)] = du;
    sums.reduce_bias[j] += du;
    for (Index c = 0; c < channels; ++c) {
      sums.expand_weight[c * hidden + j] += gradient[c] * unit;
      sums.reduce_weight[j * channels + c] += du * mean[c];
    }
  }
  for (Index c = 0; c < channels; ++c) {
    sums.expand_bias[c] += gradient[c];
    float sum = 0;
    for (Index j = 0; j < hidden; ++j)
      sum += f.reduce_weight.data()[j * channels + c] * unit_gradient[static_cast<std::size_t>(j)];
    gradient[c] = sum / static_cast<float>(f.places());
  }
}

/// What stands before a ReLU gets nothing where it gave nothing.
inline void rectify_backward(const float* output, Index n, float* gradient) {
#pragma omp simd
  for (Index i = 0; i < n; ++i) gradient[i] *= output[i] > 0 ? 1.F : 0.F;
}

/// The spatial branch but for f₀: from dM_s to d₀ in `gradients.inner`.
template <class Parts>
void spatial_branch_backward(const BamBackwardProblem& p, Index b, const BamSums& sums, Parts& parts,
                             BamGradients& gradients) {
  const BamProblem& f = p.forward;
  const Index places = f.places();
  const Index inner = f.hidden() * places;
  const float* last = p.inner_of(2, b);
  sums.bias[3][0] += Parts::sum(gradients.places.data(), places);
  for (Index j = 0; j < f.hidden(); ++j) {
    sums.weight[3][j] += Parts::dot(gradients.places.data(), last + j * places, places);
    const float w = f.spatial[3].weight.data()[j];
    float* to = gradients.inner.data() + j * places;
#pragma omp simd
    for (Index i = 0; i < places; ++i) to[i] = w * gradients.places[static_cast<std::size_t>(i)];
  }
  rectify_backward(last, inner, gradients.inner.data());
  parts.convolution_backward(f, f.spatial[2], p.inner_of(1, b), gradients.inner.data(), sums.weight[2], sums.bias[2],
                             gradients.between.data());
  rectify_backward(p.inner_of(1, b), inner, gradients.between.data());
  parts.convolution_backward(f, f.spatial[1], p.inner_of(0, b), gradients.between.data(), sums.weight[1], sums.bias[1],
                             gradients.inner.data());
  rectify_backward(p.inner_of(0, b), inner, gradients.inner.data());
  for (Index j = 0; j < f.hidden(); ++j) sums.bias[0][j] += Parts::sum(gradients.inner.data() + j * places, places);
}

/// What map c of image b adds to df₀, from d₀ [hidden × places].
template <class Parts>
void mix_backward(const BamProblem& f, Index b, Index c, const float* inner, const BamSums& sums) {
  for (Index j = 0; j < f.hidden(); ++j)
    sums.weight[0][j * f.channels() + c] += Parts::dot(inner + j * f.places(), f.map_of(b, c), f.places());
}

}  // namespace attention::convolutional
