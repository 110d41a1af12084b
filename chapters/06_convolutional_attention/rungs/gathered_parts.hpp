#pragma once

#include <algorithm>

#include "tensor/tensor.hpp"

/// Gradients of weights are sums over all images. Pieces of work are gathered in a fixed number of parts, each with
/// sums of its own, which are added in their order: the shape decides how a sum is split, not the number of threads.
namespace attention::convolutional {

using tensor::Index;

struct GatheredParts {
  static constexpr Index most = 16;  ///< some for each of a few threads

  Index pieces, count;
  explicit GatheredParts(Index all_pieces, Index at_most = most) : pieces(all_pieces), count(std::min(at_most, all_pieces)) {}
  /// Part's pieces are first_of(part) … first_of(part + 1) − 1.
  Index first_of(Index part) const { return part * pieces / count; }
  /// The part that holds the piece.
  Index part_of(Index piece) const { return ((piece + 1) * count - 1) / pieces; }
};

/// to[n] = the sum of the rows of partial [parts × n], whose first may be `to`.
inline void add_parts(const float* partial, Index parts, Index n, float* to) {
  if (to != partial) std::copy_n(partial, n, to);
  for (Index part = 1; part < parts; ++part)
    for (Index i = 0; i < n; ++i) to[i] += partial[part * n + i];
}

}  // namespace attention::convolutional
