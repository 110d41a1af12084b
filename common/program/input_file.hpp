#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace attention::program {

/// A regular file open for reading from its beginning, whose size is known before anything is allocated for
/// it.
class InputFile {
 public:
  /// Throws UserError where `path` is missing, not readable or not a regular file.
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Bytes in the file, and those not yet read.
  std::uint64_t size() const { return size_; }
  std::uint64_t left() const { return size_ - position_; }

  /// The file's name for messages, in one line.
  const std::string& name() const { return name_; }

  /// Reads exactly `bytes` bytes. Throws UserError where the file ends before, or cannot be read.
  void read(void* destination, std::size_t bytes);

 private:
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
};

/// The whole of a text file. Throws UserError where it is larger than `most_bytes`, or cannot be read.
std::string read_text(const std::filesystem::path& path, std::uint64_t most_bytes);

}  // namespace attention::program
