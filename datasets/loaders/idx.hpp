#pragma once

#include <cstdint>
#include <filesystem>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// Reads pictures from an IDX file (magic 0x00000803: unsigned bytes, three dimensions), plain or
/// gzip-compressed: uint8 [count, rows, columns]. Throws UserError naming the file, the field, and what was
/// found and expected: another magic, a dimension of 0, fewer or more bytes than the dimensions say, damaged
/// gzip data. A declared size that the file cannot hold is refused before memory is taken for it. Source of
/// the format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
tensor::TensorOf<std::uint8_t, 3> load_idx_images(const std::filesystem::path& path);

/// Reads labels from an IDX file (magic 0x00000801: unsigned bytes, one dimension), plain or gzip-compressed:
/// uint8 [count]. The same faults.
tensor::TensorOf<std::uint8_t, 1> load_idx_labels(const std::filesystem::path& path);

}  // namespace attention::datasets
