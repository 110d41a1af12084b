#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace attention::datasets {

/// The bytes of a file, plain or unpacked from gzip (recognised by its first two bytes, not by its name).
class ByteSource {
 public:
  /// Throws UserError where the file cannot be opened.
  explicit ByteSource(const std::filesystem::path& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// The file's name for messages, in one line.
  const std::string& name() const;

  /// Reads up to `bytes` bytes and returns how many there were; fewer only at the end.
  /// Throws UserError on damaged gzip data: a wrong checksum, an end in the middle, bytes after the end.
  std::size_t read(void* destination, std::size_t bytes);

  /// At most so many bytes can still come: exactly so many in a plain file, what deflate could hold at best
  /// (1032 bytes in one) in a packed one.
  std::uint64_t at_most_left() const;

  bool packed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace attention::datasets
