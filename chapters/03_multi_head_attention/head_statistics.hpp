#pragma once

#include <vector>

#include "tensor/tensor.hpp"

/// What can be said about the maps of heads, whoever made them. A map holds the weights of one head for one
/// sequence, [n, n]: a row a query, a column a key, every row sums to 1.
namespace attention::multi_head {

using tensor::Index;

/// Where a head looks, the mean over queries. All but the first two are shares of the weight, 0 to 1.
struct Look {
  double distance = 0;  ///< tokens between the query and what it looks at: the mean of |i − j|, weighted
  double entropy = 0;   ///< of a row, in bits: 0 where one key has all, log₂ n where all have the same
  double self = 0;
  double previous = 0;  ///< the key before the query; over the queries that have one
  double next = 0;
  double first = 0;  ///< of the sequence
  double last = 0;
  double marked = 0;  ///< on the marked keys together
};

/// Gathers Look over many sequences.
class LookStatistics {
 public:
  /// `marked`: n flags of the keys whose share is asked for (punctuation, say). Throws std::invalid_argument
  /// where the sizes differ.
  void add(const tensor::Tensor<2>& map, const std::vector<bool>& marked);
  /// Over all queries so far; zeros before the first.
  Look mean() const;

 private:
  Look sum_;
  double queries_ = 0;
  double with_neighbour_ = 0;  ///< queries that have one before them: as many have one after them
};

/// Jensen–Shannon divergence of the rows of two maps of the same sequence, in bits, the sum over its queries.
/// Of one query: the mean of the Kullback–Leibler divergences of both rows from their mean; 0 where they are
/// equal, 1 where they share no key (Lin 1991, Divergence Measures Based on the Shannon Entropy,
/// equation 4.1; between heads as in Clark et al. 2019, section 6).
double divergence(const tensor::Tensor<2>& a, const tensor::Tensor<2>& b);

/// Of all couples of places in two lists, how many stand in another order in one than in the other; couples
/// that are equal in one of them count as unchanged. Throws std::invalid_argument where the lengths differ.
Index order_changes(const std::vector<double>& before, const std::vector<double>& after);

}  // namespace attention::multi_head
