#include "loaders/idx.hpp"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string_view>

#include "loaders/byte_source.hpp"
#include "program/error.hpp"

namespace attention::datasets {
namespace {

using program::UserError;

template <class... Args>
[[noreturn]] void refuse(const ByteSource& source, fmt::format_string<Args...> format, Args&&... args) {
  throw UserError(fmt::format("{}: {}", source.name(), fmt::format(format, std::forward<Args>(args)...)));
}

std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
         bytes[3];
}

// Reads a file of `Rank` dimensions whose names are `fields`.
template <std::size_t Rank>
tensor::TensorOf<std::uint8_t, Rank> load(const std::filesystem::path& path,
                                          const std::array<std::string_view, Rank>& fields) {
  ByteSource source(path);
  std::array<unsigned char, 4 * (Rank + 1)> header{};
  const std::size_t got = source.read(header.data(), header.size());
  // 8: unsigned bytes; then the number of dimensions.
  constexpr std::uint32_t expected_magic = 0x800 + Rank;
  if (got >= 4 && big_endian(header.data()) != expected_magic) {
    refuse(source, "magic {:#010x}, expected {:#010x} ({})", big_endian(header.data()), expected_magic,
           Rank == 3 ? "pictures" : "labels");
  }
  if (got < header.size())
    refuse(source, "header of {} bytes, expected {}; the file is truncated", got, header.size());

  std::array<std::size_t, Rank> shape{};
  std::uint64_t expected = 1;
  bool countable = true;
  std::string dimensions;
  for (std::size_t axis = 0; axis < Rank; ++axis) {
    shape[axis] = big_endian(header.data() + 4 * (axis + 1));
    if (shape[axis] == 0) refuse(source, "{} is 0, expected at least 1", fields[axis]);
    // Two lengths of 32 bits always fit in 64, a third may not.
    countable = countable && expected <= INT64_MAX / shape[axis];
    if (countable) expected *= shape[axis];
    dimensions += fmt::format("{}{} {}", axis == 0 ? "" : ", ", fields[axis], shape[axis]);
  }
  if (!countable || expected > source.at_most_left()) {
    refuse(source, "{} take {} bytes, {} {}; it is truncated or its header is wrong", dimensions,
           countable ? fmt::format("{}", expected) : "more than 2^63",
           source.packed() ? "packed data can hold at most" : "found", source.at_most_left());
  }

  auto values = tensor::empty<Rank, std::uint8_t>(shape);
  const auto bytes = static_cast<std::size_t>(expected);
  const std::size_t found = source.read(values.data(), bytes);
  if (found != bytes) refuse(source, "{} take {} bytes, found {}; it is truncated", dimensions, bytes, found);
  // This read also brings zlib to the end, where it compares the checksum.
  unsigned char more = 0;
  if (source.read(&more, 1) != 0) {
    if (source.packed()) refuse(source, "{} take {} bytes, found more than {}", dimensions, bytes, bytes);
    refuse(source, "{} take {} bytes, found {}", dimensions, bytes, bytes + 1 + source.at_most_left());
  }
  return values;
}

}  // namespace

tensor::TensorOf<std::uint8_t, 3> load_idx_images(const std::filesystem::path& path) {
  return load<3>(path, {"count", "rows", "columns"});
}

tensor::TensorOf<std::uint8_t, 1> load_idx_labels(const std::filesystem::path& path) {
  return load<1>(path, {"count"});
}

}  // namespace attention::datasets
