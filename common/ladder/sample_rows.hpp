#pragma once

#include <vector>

#include "tensor/tensor.hpp"

namespace attention::ladder {

using tensor::Index;

/// About `count` of the rows 0 … rows − 1, ascending: always the first, the last, and the rows on both sides of the first
/// and the last edge of every tile size in `edges`; the rest evenly spread. All rows where count reaches them.
std::vector<Index> sample_rows(Index rows, Index count, const std::vector<Index>& edges);

}  // namespace attention::ladder
