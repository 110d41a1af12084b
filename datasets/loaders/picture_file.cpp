#include "loaders/picture_file.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

// Needs <cstdio> before it.
#include <jpeglib.h>

namespace attention::datasets {

namespace {

using program::UserError;
using tensor::Tensor;
using Bytes = std::vector<unsigned char>;

void require_size(const std::string& name, std::uint64_t width, std::uint64_t height) {
  if (width == 0 || height == 0) throw UserError(fmt::format("{}: a picture of {} × {} pixels", name, width, height));
  if (width > most_pixels / height) throw UserError(fmt::format("{}: {} × {} pixels; at most {} are taken", name, width, height, most_pixels));
}

Tensor<2> from_bytes(const Bytes& pixels, std::size_t height, std::size_t width) {
  Tensor<2> picture = tensor::empty<2>({height, width});
  std::transform(pixels.begin(), pixels.end(), picture.data(), [](unsigned char grey) { return static_cast<float>(grey) / 255; });
  return picture;
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
  return from_bytes(pixels, height, width);
}

/// libjpeg's reader: what it has to say of a damaged file is kept, and it is let go whatever happens.
struct JpegReader {
  jpeg_error_mgr errors{};  // first: libjpeg gives it back as the whole
  std::jmp_buf back{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  jpeg_decompress_struct info{};

  JpegReader() {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = [](j_common_ptr common) {
      auto* reader = reinterpret_cast<JpegReader*>(common->err);
      common->err->format_message(common, reader->message.data());
      std::longjmp(reader->back, 1);
    };
    // A warning is damage too: libjpeg would go on with grey.
    errors.emit_message = [](j_common_ptr common, int level) {
      if (level < 0) common->err->error_exit(common);
    };
    jpeg_create_decompress(&info);
  }
  ~JpegReader() { jpeg_destroy_decompress(&info); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
};

/// What libjpeg does between its error handler's jumps: nothing here has a destructor. Gives false where the file is damaged.
bool start_jpeg(JpegReader& reader, const Bytes& bytes) {
  if (setjmp(reader.back) != 0) return false;
  jpeg_mem_src(&reader.info, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&reader.info, TRUE);
  reader.info.out_color_space = JCS_GRAYSCALE;
  return true;
}
bool finish_jpeg(JpegReader& reader, unsigned char* pixels) {
  if (setjmp(reader.back) != 0) return false;
  jpeg_start_decompress(&reader.info);
  while (reader.info.output_scanline < reader.info.output_height) {
    JSAMPROW row = pixels + std::size_t{reader.info.output_scanline} * reader.info.output_width;
    jpeg_read_scanlines(&reader.info, &row, 1);
  }
  jpeg_finish_decompress(&reader.info);
  return true;
}

Tensor<2> read_jpeg(const std::string& name, const Bytes& bytes) {
  JpegReader reader;
  const auto fail = [&] { return UserError(fmt::format("{}: a damaged JPEG file: {}", name, program::one_line(reader.message.data(), 80))); };
  if (!start_jpeg(reader, bytes)) throw fail();
  require_size(name, reader.info.image_width, reader.info.image_height);
  Bytes pixels(std::size_t{reader.info.image_width} * reader.info.image_height);
  if (!finish_jpeg(reader, pixels.data())) throw fail();
  return from_bytes(pixels, reader.info.image_height, reader.info.image_width);
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
  if (bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF) return read_jpeg(file.name(), bytes);
  throw UserError(fmt::format("{}: no PNG, JPEG or PGM picture", file.name()));
}

}  // namespace attention::datasets
