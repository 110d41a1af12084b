#include "loaders/picture_file.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>
#include <vector>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::datasets {

namespace {

using program::UserError;
using tensor::Tensor;
using Bytes = std::vector<unsigned char>;

void require_size(const std::string& name, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) throw UserError(fmt::format("{}: a picture of {} × {} pixels", name, width, height));
  if (width > most_pixels / height) throw UserError(fmt::format("{}: {} × {} pixels; at most {} are taken", name, width, height, most_pixels));
}

/// libpng's reader, let go whatever happens.
struct PngReader {
  png_image image{};
  explicit PngReader() { image.version = PNG_IMAGE_VERSION; }
  ~PngReader() { png_image_free(&image); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
};

Tensor<2> read_png(const std::string& name, const Bytes& bytes) {
  PngReader reader;
  const auto fail = [&] { return UserError(fmt::format("{}: a damaged PNG file: {}", name, program::one_line(reader.image.message, 80))); };
  if (png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size()) == 0) throw fail();
  require_size(name, reader.image.width, reader.image.height);
  reader.image.format = PNG_FORMAT_GRAY;
  const png_color black{0, 0, 0};
  Bytes pixels(PNG_IMAGE_SIZE(reader.image));
  const std::size_t height = reader.image.height, width = reader.image.width;
  if (png_image_finish_read(&reader.image, &black, pixels.data(), 0, nullptr) == 0) throw fail();
  Tensor<2> picture = tensor::empty<2>({height, width});
  std::transform(pixels.begin(), pixels.end(), picture.data(), [](unsigned char grey) { return static_cast<float>(grey) / 255; });
  return picture;
}

/// The numbers of a PGM file: white space and comments between them.
class PgmText {
 public:
  PgmText(const std::string& name, const Bytes& bytes) : name_(name), bytes_(bytes) {}

  std::uint64_t number(const char* what) {
    while (at_ < bytes_.size() && (std::isspace(bytes_[at_]) != 0 || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#')
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      else
        ++at_;
    }
    if (at_ >= bytes_.size() || std::isdigit(bytes_[at_]) == 0) throw UserError(fmt::format("{}: a damaged PGM file: its {} is no number", name_, what));
    std::uint64_t value = 0;
    for (; at_ < bytes_.size() && std::isdigit(bytes_[at_]) != 0; ++at_) {
      value = 10 * value + (bytes_[at_] - static_cast<unsigned char>('0'));
      if (value > most_pixels) throw UserError(fmt::format("{}: a damaged PGM file: its {} is larger than {}", name_, what, most_pixels));
    }
    return value;
  }
  std::size_t place() const { return at_; }

 private:
  const std::string& name_;
  const Bytes& bytes_;
  std::size_t at_ = 2;  // behind P2 or P5
};

Tensor<2> read_pgm(const std::string& name, const Bytes& bytes) {
  PgmText text(name, bytes);
  const std::uint64_t width = text.number("width"), height = text.number("height"), most = text.number("largest grey");
  require_size(name, width, height);
  if (most == 0 || most > 65535) throw UserError(fmt::format("{}: a damaged PGM file: its largest grey is {}, not 1 to 65535", name, most));
  Tensor<2> picture = tensor::empty<2>({static_cast<std::size_t>(height), static_cast<std::size_t>(width)});
  const std::size_t pixels = picture.size();
  const auto put = [&](std::size_t i, std::uint64_t grey) {
    if (grey > most) throw UserError(fmt::format("{}: a damaged PGM file: a grey of {}, more than its largest, {}", name, grey, most));
    picture.data()[i] = static_cast<float>(grey) / static_cast<float>(most);
  };
  if (bytes[1] == '2') {
    for (std::size_t i = 0; i < pixels; ++i) put(i, text.number("grey"));
    return picture;
  }
  const std::size_t wide = most > 255 ? 2 : 1;
  const std::size_t first = text.place() + 1;  // one white space
  const std::size_t there = bytes.size() > first ? bytes.size() - first : 0;
  if (there != pixels * wide) throw UserError(fmt::format("{}: a damaged PGM file: {} bytes of pixels, {} × {} take {}", name, there, width, height, pixels * wide));
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned char* at = bytes.data() + first + i * wide;
    put(i, wide == 2 ? std::uint64_t{at[0]} * 256 + at[1] : at[0]);
  }
  return picture;
}

}  // namespace

Tensor<2> read_picture_file(const std::filesystem::path& path) {
  program::InputFile file(path);
  if (file.size() > most_picture_bytes) throw UserError(fmt::format("{}: {} bytes; at most {} are taken", file.name(), file.size(), most_picture_bytes));
  Bytes bytes(static_cast<std::size_t>(file.size()));
  file.read(bytes.data(), bytes.size());
  constexpr std::size_t signature = 8;
  if (bytes.size() >= signature && png_sig_cmp(bytes.data(), 0, signature) == 0) return read_png(file.name(), bytes);
  if (bytes.size() >= 3 && bytes[0] == 'P' && (bytes[1] == '2' || bytes[1] == '5')) return read_pgm(file.name(), bytes);
  throw UserError(fmt::format("{}: neither a PNG nor a PGM picture", file.name()));
}

}  // namespace attention::datasets
