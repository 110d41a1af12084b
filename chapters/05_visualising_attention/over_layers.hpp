#pragma once

#include <vector>

#include "ladder/mechanism.hpp"
#include "tensor/tensor.hpp"

/// What a token's output depends on through all layers: S. Abnar and W. Zuidema, "Quantifying Attention Flow
/// in Transformers", 2020. Both begin with the mean over a layer's heads and the residual connection, which
/// hands every token on as it is: A = ½ W + ½ I (section 3).
namespace attention::visualising {

using Matrix = tensor::TensorOf<double, 2>;

/// A = ½ W + ½ I of each layer, the first layer first, from `weights` [layers, heads, n, n]; each [n, n], its
/// rows divided by their sums, so that a masked row stands for itself. Throws program::UserError where
/// queries and keys are not as many, or a weight is not a number.
std::vector<Matrix> with_residual(const tensor::Tensor<4>& weights);

/// Attention rollout, equation 1: the product A_l A_{l-1} … A_1 for each layer l, the first layer's first.
/// Row i says how position i of layer l mixes the inputs; rows sum to 1. Throws std::invalid_argument for no
/// layer.
std::vector<Matrix> rollout(const std::vector<Matrix>& layers);

/// The most positions for which flow() searches more than two layers.
inline constexpr std::size_t most_positions_of_flow = 64;

/// Attention flow, section 3: element (i, j) is the largest flow from position i of the last layer to input j
/// through the network whose edges carry at most the layers' weights. Of one layer it is that layer, of two a
/// sum of minima over the positions between; of more, Dinic's algorithm (1970) for each couple. Rows do not
/// sum to 1. With all threads. Throws std::invalid_argument for no layer, program::UserError where more than
/// two layers have more than most_positions_of_flow positions.
Matrix flow(const std::vector<Matrix>& layers);

/// The largest flow between two places of a network of places 0 to n − 1, Dinic 1970.
class FlowNetwork {
 public:
  explicit FlowNetwork(std::size_t places) : edges_of_(places) {}
  void add(std::size_t from, std::size_t to, double capacity);
  /// Leaves the network without what flows: ask once.
  double largest_flow(std::size_t source, std::size_t sink);

 private:
  struct Edge {
    std::size_t to = 0;
    double capacity = 0;
  };
  bool level(std::size_t source, std::size_t sink);
  double push(std::size_t place, std::size_t sink, double amount);

  std::vector<Edge> edges_;  ///< an edge and behind it the same the other way round
  std::vector<std::vector<std::size_t>> edges_of_;
  std::vector<std::size_t> level_, next_;
};

/// For the registry: none.
std::vector<ladder::MechanismPtr> mechanisms();

}  // namespace attention::visualising
