#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::tensor {

/// A NumPy array file's content, as it is stored: little-endian, row by row.
/// Source of the format: NumPy Enhancement Proposal 1 and numpy.lib.format.
struct NpyArray {
  std::vector<std::size_t> shape;
  /// float16, float32, float64, int32, int64, uint8 or bool.
  std::string dtype;
  std::vector<std::byte> bytes;
};

/// Reads a .npy file, format 1.0, 2.0 or 3.0.
/// Throws UserError (file, field, found and expected) where it is not one, has another dtype, big-endian
/// numbers, is stored by columns (fortran_order with more than one dimension), or its size is not what its
/// shape says. Sizes are checked before anything is allocated.
NpyArray read_npy(const std::filesystem::path& path);

/// The shape and dtype of a .npy file, without its numbers; the same checks.
NpyArray read_npy_header(const std::filesystem::path& path);

/// Writes the array to a temporary name beside `path` and renames it. Throws UserError.
void write_npy(const std::filesystem::path& path, const NpyArray& array);

/// NumPy's name for a C++ type.
template <class T>
constexpr std::string_view dtype_of() {
  if constexpr (std::is_same_v<T, float>) return "float32";
  if constexpr (std::is_same_v<T, double>) return "float64";
  if constexpr (std::is_same_v<T, std::int32_t>) return "int32";
  if constexpr (std::is_same_v<T, std::int64_t>) return "int64";
  if constexpr (std::is_same_v<T, std::uint8_t>) return "uint8";
  if constexpr (std::is_same_v<T, bool>) return "bool";
}

namespace detail {

/// Reads `path` into the memory that `allocate` gives for its shape, as elements of the type `dtype`; see
/// load().
void load_elements(const std::filesystem::path& path, std::size_t rank, std::string_view dtype,
                   const std::function<void*(std::span<const std::size_t>)>& allocate);

void save_elements(const std::filesystem::path& path, std::string_view dtype, std::size_t element_size,
                   const void* data, std::span<const std::size_t> shape);

}  // namespace detail

/// The .npy file as a tensor of `Rank` dimensions, read straight into its memory.
/// Real float or double takes float16, float32 and float64; std::int64_t takes int64, int32, uint8 and bool;
/// others take their own dtype (uint8 also bool). Throws UserError, with both, on another rank or dtype, and
/// where read_npy does.
template <class Real, std::size_t Rank>
TensorOf<Real, Rank> load(const std::filesystem::path& path) {
  TensorOf<Real, Rank> result;
  detail::load_elements(path, Rank, dtype_of<Real>(), [&](std::span<const std::size_t> shape) -> void* {
    std::array<std::size_t, Rank> fixed{};
    for (std::size_t axis = 0; axis < Rank; ++axis) fixed[axis] = shape[axis];
    result = TensorOf<Real, Rank>(typename TensorOf<Real, Rank>::shape_type(fixed));
    return result.data();
  });
  return result;
}

/// Writes row-major `data` of the given shape as .npy, whole or not at all and without a copy. Throws
/// UserError.
template <class T>
void save(const std::filesystem::path& path, const T* data, std::span<const std::size_t> shape) {
  detail::save_elements(path, dtype_of<T>(), sizeof(T), data, shape);
}

/// The same for a tensor.
template <class Real, std::size_t Rank>
void save(const std::filesystem::path& path, const TensorOf<Real, Rank>& tensor) {
  save(path, tensor.data(), std::span<const std::size_t>(tensor.shape().data(), Rank));
}

/// A copy of the tensor as NpyArray.
template <class Real, std::size_t Rank>
NpyArray to_npy(const TensorOf<Real, Rank>& tensor) {
  const auto* first = reinterpret_cast<const std::byte*>(tensor.data());
  return {{tensor.shape().begin(), tensor.shape().end()},
          std::string(dtype_of<Real>()),
          {first, first + tensor.size() * sizeof(Real)}};
}

}  // namespace attention::tensor
