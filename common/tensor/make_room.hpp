#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "tensor/tensor.hpp"

namespace attention::tensor {

/// Gives `tensor` this shape where it is wanted, its elements unset; else empties it, and its memory waits in `spare` for the next time.
/// For what some rungs store and others do not: fresh memory is slow, and a rung's time shall not tell which one ran before it.
template <class Real, std::size_t Rank>
void make_room(bool wanted, const std::array<std::size_t, Rank>& shape, TensorOf<Real, Rank>& tensor, TensorOf<Real, Rank>& spare) {
  const auto fits = [&shape](const auto& t) { return t.size() > 0 && std::ranges::equal(t.shape(), shape); };
  if (!wanted) {
    if (tensor.size() > 0) std::swap(tensor, spare);
    tensor = TensorOf<Real, Rank>();
  } else if (!fits(tensor)) {
    if (!fits(spare)) spare = empty<Rank, Real>(shape);
    std::swap(tensor, spare);
    spare = TensorOf<Real, Rank>();
  }
}

}  // namespace attention::tensor
