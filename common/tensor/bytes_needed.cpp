#include "tensor/bytes_needed.hpp"

#include <limits>

namespace attention::tensor {

std::optional<std::uint64_t> bytes_needed(std::span<const std::size_t> shape, std::size_t element_size) {
  std::uint64_t bytes = element_size;
  bool is_empty = false;
  for (const std::size_t length : shape) {
    if (length == 0) {
      is_empty = true;
    } else if (bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / length) {
      return std::nullopt;
    } else {
      bytes *= length;
    }
  }
  return is_empty ? 0 : bytes;
}

}  // namespace attention::tensor
