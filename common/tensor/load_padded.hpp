#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "program/error.hpp"
#include "tensor/npy.hpp"

namespace attention::tensor {

/// Reads a .npy file of at least `least_rank` and at most `Rank` dimensions; missing leading ones become 1, so that
/// [n, dim] is [1, 1, n, dim]. Throws UserError as load does, on another rank, and on a dimension of size 0.
template <std::size_t Rank>
Tensor<Rank> load_padded(const std::filesystem::path& path, std::size_t least_rank) {
  const std::size_t rank = read_npy_header(path).shape.size();
  if (rank < least_rank || rank > Rank)
    throw program::UserError(
        fmt::format("{}: it has {} dimensions, expected {} to {}", path.string(), rank, least_rank, Rank));
  Tensor<Rank> result;
  detail::load_elements(path, rank, dtype_of<float>(), [&](std::span<const std::size_t> shape) -> void* {
    if (std::ranges::count(shape, std::size_t{0}) > 0)
      throw program::UserError(fmt::format("{}: a dimension has size 0, expected 1 or more", path.string()));
    std::array<std::size_t, Rank> padded;
    padded.fill(1);
    std::ranges::copy(shape, padded.end() - static_cast<std::ptrdiff_t>(rank));
    result = empty<Rank>(padded);
    return result.data();
  });
  return result;
}

}  // namespace attention::tensor
