#include "program/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::program {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

InputFile::InputFile(std::filesystem::path path) : name_(one_line(path.string())) {
  // O_NONBLOCK: opening a pipe that nobody writes to shall not wait; it has no effect on a regular file.
  do {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0)
    throw UserError(fmt::format("cannot open {}: {}; check the path", name_, reason(errno)));

  struct stat status {};
  const int error = ::fstat(descriptor_, &status) != 0 ? errno : 0;
  if (error != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw UserError(error != 0 ? fmt::format("cannot read {}: {}; check the path", name_, reason(error))
                               : fmt::format("{} is not a regular file; name a file", name_));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(void* destination, std::size_t bytes) {
  auto* next = static_cast<char*>(destination);
  const std::size_t wanted = bytes;
  while (bytes > 0) {
    const ssize_t got = ::read(descriptor_, next, std::min<std::size_t>(bytes, 1U << 30));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw UserError(fmt::format("cannot read {}: {}; check the file", name_, reason(errno)));
    }
    if (got == 0) {
      throw UserError(
          fmt::format("{} ends after {} of the next {} bytes; it is truncated, fetch or write it again",
                      name_, wanted - bytes, wanted));
    }
    next += got;
    bytes -= static_cast<std::size_t>(got);
    // Never beyond size_, even where the file grows meanwhile.
    position_ = std::min(size_, position_ + static_cast<std::uint64_t>(got));
  }
}

std::string read_text(const std::filesystem::path& path, std::uint64_t most_bytes) {
  InputFile file(path);
  if (file.size() > most_bytes) {
    throw UserError(
        fmt::format("{} has {} bytes; at most {} are taken", file.name(), file.size(), most_bytes));
  }
  std::string text(static_cast<std::size_t>(file.size()), '\0');
  file.read(text.data(), text.size());
  return text;
}

}  // namespace attention::program
