#pragma once

#include <limits>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

/// What comes out where attention's softmax is computed with a mistake.
namespace attention::exercise {

using tensor::Index;

/// What a mistake leaves open: no answer can be told there.
inline constexpr double unknown = std::numeric_limits<double>::max();

struct SoftmaxFault {
  enum class Kind {
    none,
    no_maximum,           ///< exp(score) as it is
    maximum_from_zero,    ///< the search for the maximum begins at 0
    over_queries,         ///< a column sums to 1 instead of a row
    not_normalised,       ///< not divided by the sum
    base_two,             ///< 2^score
    lse_without_maximum,  ///< the logarithm of the sum alone
    last_keys,            ///< keys beyond the last whole tile are left out
    stale_both,           ///< online: where the maximum grows neither sum nor output is scaled down
    stale_sum,            ///< … the sum is not
    stale_output,         ///< … the output is not
  };
  Kind kind = Kind::none;
  Index tile = 1;  ///< keys that are taken at once
};

struct NamedSoftmaxFault {
  std::string name;
  std::string meaning;
  SoftmaxFault fault;
};
/// All of them, those of tiles with each usual size.
const std::vector<NamedSoftmaxFault>& softmax_faults();

struct Attended {
  std::vector<double> output;   ///< [queries, value_dim]
  std::vector<double> lse;      ///< [queries]
  std::vector<double> weights;  ///< [queries, keys]
};

/// Attention from its scores [queries, keys], −inf where a query does not see a key, and values [keys, value_dim]. A
/// query that sees none gets 0.
Attended attend(const std::vector<double>& scores, const std::vector<double>& value, Index queries, Index keys,
                Index value_dim, SoftmaxFault fault);

}  // namespace attention::exercise
