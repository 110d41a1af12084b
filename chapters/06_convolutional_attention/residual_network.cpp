#include "residual_network.hpp"

#include <algorithm>
#include <cmath>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/normalisation.hpp"
#include "autograd/reductions.hpp"
#include "autograd/softmax.hpp"

namespace attention::convolutional {

Json to_json(const NetworkSizes& s) {
  return {{"module", name_of(s.module)},   {"pooling", s.pooling == Pooling::mean ? "mean" : "attention"},
          {"widths", s.widths},            {"group_width", s.group_width},
          {"reduction", s.reduction},      {"classes", s.classes}};
}

template <class Real>
ResidualNetwork<Real>::Norm::Norm(Index channels)
    : scale(autograd::constant_parameter<Real>({size(channels)}, 1)), shift(autograd::constant_parameter<Real>({size(channels)}, 0)) {}

template <class Real>
void ResidualNetwork<Real>::Norm::collect(const std::string& name, ParameterList<Real>& list) {
  list.push_back({name + ".scale", &scale});
  list.push_back({name + ".shift", &shift});
}

template <class Real>
ResidualNetwork<Real>::ResidualNetwork(const NetworkSizes& sizes, std::uint64_t seed) : sizes_(sizes) {
  numerics::Random random(seed);
  Index channels = sizes.widths.front();
  stem_ = convolution_kernel<Real>(3, 3, 1, channels, random);
  stem_norm_ = Norm(channels);
  for (const Index width : sizes.widths) {
    Block block;
    block.first = convolution_kernel<Real>(3, 3, channels, width, random);
    block.second = convolution_kernel<Real>(3, 3, width, width, random);
    block.first_norm = Norm(width);
    block.second_norm = Norm(width);
    if (width != channels) block.shortcut = Linear<Real>(channels, width, random, false);
    blocks_.push_back(std::move(block));
    channels = width;
  }
  classes_ = Linear<Real>(channels, sizes.classes, random);
  // Drawn last, so that what networks have in common begins alike.
  for (Block& block : blocks_) block.module = AttentionModule<Real>(sizes.module, static_cast<Index>(block.second.value.shape(3)), sizes.reduction, random);
  if (sizes.pooling == Pooling::attention) {
    place_scores_ = Linear<Real>(channels, 1, random, false);
    std::ranges::fill(place_scores_.weights.value, Real{0});  // the plain mean
  }
}

template <class Real>
ParameterList<Real> ResidualNetwork<Real>::parameters() {
  ParameterList<Real> list{{"stem", &stem_}};
  stem_norm_.collect("stem_norm", list);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::string name = "block_" + std::to_string(i + 1);
    Block& block = blocks_[i];
    list.push_back({name + ".first", &block.first});
    block.first_norm.collect(name + ".first_norm", list);
    list.push_back({name + ".second", &block.second});
    block.second_norm.collect(name + ".second_norm", list);
    if (block.shortcut.weights.value.dimension() != 0) block.shortcut.collect(name + ".shortcut", list);
    block.module.collect(name + ".module", list);
  }
  if (sizes_.pooling == Pooling::attention) place_scores_.collect("place_scores", list);
  classes_.collect("classes", list);
  return list;
}

template <class Real>
Variable<Real> ResidualNetwork<Real>::normalised(const Variable<Real>& x, const Norm& norm) const {
  Tape<Real>& tape = x.tape();
  return autograd::group_norm(x, tape.parameter(norm.scale), tape.parameter(norm.shift), std::max<Index>(1, x.extent(3) / sizes_.group_width));
}

template <class Real>
Attended<Real> ResidualNetwork<Real>::through(const Block& block, const Variable<Real>& x) const {
  Tape<Real>& tape = x.tape();
  const Variable<Real> inner = autograd::relu(normalised(autograd::convolution(x, tape.parameter(block.first)), block.first_norm));
  const Variable<Real> branch = normalised(autograd::convolution(inner, tape.parameter(block.second)), block.second_norm);
  const Variable<Real> shortcut = block.shortcut.weights.value.dimension() == 0 ? x : block.shortcut(x);
  if (block.module.after_the_sum()) return block.module(autograd::relu(branch + shortcut));
  Attended<Real> attended = block.module(branch);
  attended.output = autograd::relu(attended.output + shortcut);
  return attended;
}

template <class Real>
typename ResidualNetwork<Real>::Answer ResidualNetwork<Real>::operator()(const Variable<Real>& pictures) const {
  Tape<Real>& tape = pictures.tape();
  Answer answer;
  // The stem's map is pooled first: what is done for each number then costs a quarter.
  Variable<Real> x = autograd::relu(normalised(autograd::max_pool(autograd::convolution(pictures, tape.parameter(stem_)), 2), stem_norm_));
  for (const Block& block : blocks_) {
    if (!answer.attended.empty()) x = autograd::max_pool(x, 2);
    answer.attended.push_back(through(block, x));
    x = answer.attended.back().output;
  }
  answer.last_map = x;
  const std::size_t batch = size(x.extent(0)), places = size(x.extent(1) * x.extent(2)), channels = size(x.extent(3));
  const Variable<Real> vectors = autograd::reshape(x, {batch, places, channels});
  if (sizes_.pooling == Pooling::mean) {
    answer.scores = classes_(autograd::mean(vectors, 1));
    return answer;
  }
  const Variable<Real> weights = autograd::softmax(autograd::reshape(place_scores_(vectors), {batch, 1, places}));
  answer.pooling_weights = autograd::reshape(weights, {batch, places});
  answer.scores = classes_(autograd::reshape(autograd::matmul(weights, vectors), {batch, channels}));
  return answer;
}

template class ResidualNetwork<float>;
template class ResidualNetwork<double>;

}  // namespace attention::convolutional
