#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace attention::tensor {

/// Bytes that an array of the shape takes; nothing where they are more than an address space. A zero length does not excuse an absurd one
/// beside it: strides are computed from both.
std::optional<std::uint64_t> bytes_needed(std::span<const std::size_t> shape, std::size_t element_size);

}  // namespace attention::tensor
