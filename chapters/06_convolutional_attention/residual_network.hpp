#pragma once

#include "attention_module.hpp"

namespace attention::convolutional {

/// How the places of the last map become one vector: their mean, or a mean weighted by attention.
enum class Pooling { mean, attention };

/// What a network is made of. With what is here and the weights it can be made again.
struct NetworkSizes {
  ModuleKind module = ModuleKind::none;
  Pooling pooling = Pooling::mean;
  std::vector<Index> widths = {32, 64, 96};  ///< channels of the blocks; before each block the sides are halved
  Index group_width = 8;                 ///< channels that are normalised together
  Index reduction = 8;                   ///< of the modules' inner layers
  Index classes = 10;
};

Json to_json(const NetworkSizes& sizes);

/// A small residual network (He, Zhang, Ren and Sun 2016) for grey pictures, with group normalisation (Wu and He 2018):
///
///     x = relu(norm(pool(conv(picture))))
///     for each block, before each but the first x = pool(x):
///         f = norm(conv(relu(norm(conv(x)))))
///         x = relu(module(f) + shortcut(x)), or module(relu(f + shortcut(x)))
///     scores = W · mean over the places of x + b
///
/// Convolutions are 3 × 3, pool takes the largest of 2 × 2. Where a block changes the channels, its shortcut is a 1 × 1 convolution, else it is x.
/// With Pooling::attention the mean is weighted: a_p = softmax over the places of w · x_p.
template <class Real>
class ResidualNetwork {
 public:
  ResidualNetwork(const NetworkSizes& sizes, std::uint64_t seed);

  struct Answer {
    Variable<Real> scores;                 ///< [batch, classes], before the softmax
    std::vector<Attended<Real>> attended;  ///< of each block's module
    Variable<Real> last_map;               ///< [batch, height, width, channels], before the pooling
    Variable<Real> pooling_weights;        ///< [batch, places]; Pooling::attention
  };
  /// Of pictures [batch, height, width, 1], values 0 to 1.
  Answer operator()(const Variable<Real>& pictures) const;

  const NetworkSizes& sizes() const { return sizes_; }
  ParameterList<Real> parameters();

 private:
  struct Norm {
    Parameter<Real> scale, shift;
    Norm() = default;
    explicit Norm(Index channels);
    void collect(const std::string& name, ParameterList<Real>& list);
  };
  struct Block {
    Parameter<Real> first, second;
    Norm first_norm, second_norm;
    Linear<Real> shortcut;  ///< where the channels change
    AttentionModule<Real> module;
  };
  Variable<Real> normalised(const Variable<Real>& x, const Norm& norm) const;
  Attended<Real> through(const Block& block, const Variable<Real>& x) const;

  NetworkSizes sizes_;
  Parameter<Real> stem_;
  Norm stem_norm_;
  std::vector<Block> blocks_;
  Linear<Real> place_scores_;
  Linear<Real> classes_;
};

extern template class ResidualNetwork<float>;
extern template class ResidualNetwork<double>;

}  // namespace attention::convolutional
