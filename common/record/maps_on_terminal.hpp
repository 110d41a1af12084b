#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::record {

/// The maps of a layer's heads side by side, as many in a line of maps as the terminal holds; layer.head stands above
/// each. In block characters and greys where the terminal has them, else in plain text. `labels`: one a query;
/// `weights` [layers, heads, queries, keys]. Throws std::invalid_argument where labels and queries are not as many.
void print_maps(const std::vector<std::string>& labels, const tensor::Tensor<4>& weights, std::ostream& out);

}  // namespace attention::record
