#include "loaders/byte_source.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <optional>
#include <vector>

#include "program/error.hpp"
#include "program/input_file.hpp"

namespace attention::datasets {

using program::InputFile;
using program::UserError;

struct ByteSource::State {
  explicit State(const std::filesystem::path& path) : file(std::in_place, path) {
    std::array<unsigned char, 2> start{};
    if (file->size() >= start.size()) {
      file->read(start.data(), start.size());
      packed = start[0] == 0x1F && start[1] == 0x8B;
    }
    file.emplace(path);
    if (!packed) return;
    input.resize(1U << 16);
    const int status = inflateInit2(&stream, 16 + MAX_WBITS);  // 16: a gzip header and checksum
    if (status != Z_OK) throw std::bad_alloc();
  }
  ~State() {
    if (packed) inflateEnd(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[noreturn]] void damaged(std::string_view what) const {
    throw UserError(fmt::format("{}: damaged gzip data, {} after {} of {} bytes; fetch it again",
                                file->name(), what, file->size() - file->left() - stream.avail_in,
                                file->size()));
  }

  std::size_t read_plain(void* destination, std::size_t bytes) {
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, file->left()));
    if (some > 0) file->read(destination, some);
    return some;
  }

  std::size_t read_packed(unsigned char* destination, std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes && !ended) {
      if (stream.avail_in == 0 && file->left() > 0) {
        const std::size_t some = read_plain(input.data(), input.size());
        stream.next_in = input.data();
        stream.avail_in = static_cast<uInt>(some);
      }
      const auto room = static_cast<uInt>(std::min<std::size_t>(bytes - done, 1U << 30));
      stream.next_out = destination + done;
      stream.avail_out = room;
      const int status = inflate(&stream, Z_NO_FLUSH);
      done += room - stream.avail_out;
      if (status == Z_STREAM_END) {
        ended = true;
        const std::uint64_t behind = stream.avail_in + file->left();
        if (behind > 0) damaged(fmt::format("{} bytes more than its end", behind));
      } else if (status == Z_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (status == Z_BUF_ERROR ||
                 (status == Z_OK && stream.avail_in == 0 && file->left() == 0 && stream.avail_out > 0)) {
        damaged("truncated");
      } else if (status != Z_OK) {
        damaged(stream.msg != nullptr ? stream.msg : "not readable");
      }
    }
    return done;
  }

  std::optional<InputFile> file;
  bool packed = false;
  bool ended = false;
  z_stream stream{};
  std::vector<unsigned char> input;
};

ByteSource::ByteSource(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
ByteSource::~ByteSource() = default;

const std::string& ByteSource::name() const { return state_->file->name(); }
bool ByteSource::packed() const { return state_->packed; }

std::size_t ByteSource::read(void* destination, std::size_t bytes) {
  return state_->packed ? state_->read_packed(static_cast<unsigned char*>(destination), bytes)
                        : state_->read_plain(destination, bytes);
}

std::uint64_t ByteSource::at_most_left() const {
  if (!state_->packed) return state_->file->left();
  if (state_->ended) return 0;
  constexpr std::uint64_t best_ratio = 1032;  // zlib's documented limit of deflate
  const std::uint64_t size = state_->file->size();
  return size > std::numeric_limits<std::uint64_t>::max() / best_ratio
             ? std::numeric_limits<std::uint64_t>::max()
             : size * best_ratio;
}

}  // namespace attention::datasets
