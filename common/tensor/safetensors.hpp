#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attention::tensor {

/// How the numbers of a .safetensors file are stored, by the format's own names.
enum class SafeDtype { F16, F32, F64, I64 };
/// "F16" …; and the bytes of one number.
std::string_view name_of(SafeDtype dtype);
std::size_t bytes_of(SafeDtype dtype);

/// One tensor of a .safetensors file, as it is stored: little-endian, row by row.
struct SafeTensor {
  std::string name;
  std::vector<std::size_t> shape;  ///< empty: a single number
  SafeDtype dtype = SafeDtype::F32;
  std::vector<std::byte> bytes;

  /// Numbers in the tensor.
  std::size_t size() const { return bytes.size() / bytes_of(dtype); }
  /// The numbers, from F16, F32 or F64; a float64 beyond float32's range becomes an infinity. Throw UserError on I64.
  std::vector<float> floats() const;
  std::vector<double> doubles() const;
  /// The numbers of an I64 tensor. Throws UserError on another dtype.
  std::vector<std::int64_t> integers() const;
};

/// A tensor from numbers in memory, whose count is the product of `shape` (else std::invalid_argument). Stored as F16, each number
/// is rounded to the nearest; one beyond ±65504 becomes an infinity.
SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const float> numbers,
                            SafeDtype dtype = SafeDtype::F32);
SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const double> numbers);
SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const std::int64_t> numbers);

/// What a .safetensors file holds.
struct SafeTensors {
  std::vector<SafeTensor> tensors;              ///< in the order of their data in the file
  std::map<std::string, std::string> metadata;  ///< free text by key
  std::string file;                             ///< its name for messages, in one line

  bool has(std::string_view name) const;
  /// The tensor of that name. Throws UserError naming the file where there is none.
  const SafeTensor& at(std::string_view name) const;
  /// The same; throws UserError with both shapes where it has another one.
  const SafeTensor& at(std::string_view name, std::span<const std::size_t> shape) const;
  /// The metadata of that key. Throws UserError naming the file where there is none.
  const std::string& text(const std::string& key) const;
};

/// Reads a .safetensors file: 8 bytes with the length of the header, a header in JSON, then the numbers.
/// Source of the format: https://github.com/huggingface/safetensors, "Format".
/// Throws UserError, naming the file, the tensor and the field, where the file is not one: cut or longer than its header says, not
/// JSON, a name or a key there twice, another dtype, a shape that does not go with its bytes, data that overlap or leave a hole.
/// Files of write_safetensors carry a sum of all that they hold, which is compared: no changed byte passes. Sizes are checked
/// before anything is allocated.
SafeTensors read_safetensors(const std::filesystem::path& path);

/// Writes the tensors to a temporary name beside `path` and renames it (program::write_file): the file is there whole or not at
/// all, whenever the program is ended. The same content gives the same bytes. Tensors with larger numbers are put first, so that
/// each begins at a multiple of its numbers' size. Throws UserError where it cannot be written, a name is there twice or is
/// "__metadata__", a text is not UTF-8, or metadata has the key "content_sum", which is the sum's own.
void write_safetensors(const std::filesystem::path& path, std::span<const SafeTensor> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace attention::tensor
