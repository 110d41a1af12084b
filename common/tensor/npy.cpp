#include "tensor/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "program/atomic_file.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"
#include "simd/storage.hpp"
#include "tensor/bytes_needed.hpp"

namespace attention::tensor {
namespace {

using program::InputFile;
using program::one_line;
using program::UserError;

static_assert(std::endian::native == std::endian::little,
              ".npy files are read and written as they lie in memory");

struct Dtype {
  std::string_view name;
  std::string_view code;  // NumPy's, without the byte order
  std::size_t size;
};
constexpr std::array<Dtype, 7> dtypes{{{"float16", "f2", 2},
                                       {"float32", "f4", 4},
                                       {"float64", "f8", 8},
                                       {"int32", "i4", 4},
                                       {"int64", "i8", 8},
                                       {"uint8", "u1", 1},
                                       {"bool", "b1", 1}}};
constexpr std::string_view known_dtypes = "float16, float32, float64, int32, int64, uint8, bool";

const Dtype& dtype_named(std::string_view name) {
  const auto found =
      std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& d) { return d.name == name; });
  if (found == dtypes.end())
    throw UserError(fmt::format("dtype '{}' is not one of {}", one_line(name), known_dtypes));
  return *found;
}

std::string as_text(std::span<const std::size_t> shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

[[noreturn]] void refuse(const InputFile& file, std::string_view what) {
  throw UserError(fmt::format("{}: {}", file.name(), what));
}

// ---- The header: a Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
// --------------------

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<std::size_t> shape;
};

class HeaderParser {
 public:
  HeaderParser(const InputFile& file, std::string_view text) : file_(file), text_(text) {}

  Header parse() {
    std::optional<std::string> descr;
    std::optional<bool> fortran_order;
    std::optional<std::vector<std::size_t>> shape;
    expect('{');
    while (!taken('}')) {
      const std::string key = quoted("a key");
      expect(':');
      if (key == "descr" && !descr) {
        if (peek() == '[')
          refuse(file_, fmt::format("header field descr: a structured dtype; it takes {}", known_dtypes));
        descr = quoted("descr");
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = truth();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        refuse(file_, fmt::format("header field '{}' is {}", one_line(key, 40),
                                  key == "descr" || key == "fortran_order" || key == "shape"
                                      ? "there twice"
                                      : "unknown; expected descr, fortran_order and shape"));
      }
      if (!taken(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!text_.empty()) garbage("the end of the header");
    if (!descr) refuse(file_, "header field descr is missing");
    if (!fortran_order) refuse(file_, "header field fortran_order is missing");
    if (!shape) refuse(file_, "header field shape is missing");
    return {*descr, *fortran_order, *shape};
  }

 private:
  [[noreturn]] void garbage(std::string_view expected) const {
    refuse(file_, fmt::format("header: expected {}, found '{}'", expected, one_line(text_, 20)));
  }
  void skip_spaces() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n' || text_.front() == '\t'))
      text_.remove_prefix(1);
  }
  char peek() {
    skip_spaces();
    return text_.empty() ? '\0' : text_.front();
  }
  bool taken(char letter) {
    skip_spaces();
    if (text_.empty() || text_.front() != letter) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char letter) {
    if (!taken(letter)) garbage(fmt::format("'{}'", letter));
  }
  std::string quoted(std::string_view what) {
    const char quote = peek();
    if (quote != '\'' && quote != '"') garbage(fmt::format("{} in quotes", what));
    const std::size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) garbage(fmt::format("the end of {}", what));
    std::string word(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return word;
  }
  bool truth() {
    skip_spaces();
    for (const bool value : {true, false}) {
      const std::string_view word = value ? "True" : "False";
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    garbage("True or False for fortran_order");
  }
  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!taken(')')) {
      values.push_back(length());
      const bool comma = taken(',');
      if (!comma && values.size() == 1) garbage("',' in shape");  // (3) is a number in Python, (3,) a tuple
      if (!comma) {
        expect(')');
        break;
      }
    }
    return values;
  }
  std::size_t length() {
    if (peek() == '-') garbage("shape of lengths 0 or more");
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) garbage("shape of lengths below 2^64");
    if (error != std::errc{}) garbage("a whole number in shape");
    text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
    if (!text_.empty() && text_.front() == 'L') text_.remove_prefix(1);  // Python 2's long integers
    return value;
  }

  const InputFile& file_;
  std::string_view text_;
};

// ---- Reading
// ---------------------------------------------------------------------------------------------------------

// An open .npy file whose header is read and whose size agrees with it; its numbers come next.
struct Opened {
  explicit Opened(const std::filesystem::path& path);

  InputFile file;
  Dtype dtype{};
  std::vector<std::size_t> shape;
  std::size_t count = 1;
};

std::string read_header_text(InputFile& file) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (file.size() < 10)
    refuse(file, fmt::format("not a .npy file: {} bytes, a header takes at least 10", file.size()));
  std::array<char, 8> start{};
  file.read(start.data(), start.size());
  if (std::string_view(start.data(), magic.size()) != magic) {
    refuse(file, fmt::format("not a .npy file: it begins with '{}', expected '{}'",
                             one_line({start.data(), magic.size()}), one_line(magic)));
  }
  const int version = static_cast<unsigned char>(start[6]);
  if (version < 1 || version > 3 || start[7] != 0) {
    refuse(file, fmt::format(".npy version {}.{}, expected 1.0, 2.0 or 3.0", version,
                             static_cast<unsigned char>(start[7])));
  }
  std::uint32_t length = 0;
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  if (file.left() < length_bytes) refuse(file, "not a .npy file: it ends within its header's length");
  file.read(&length, length_bytes);
  if (length > file.left()) {
    refuse(file, fmt::format("header length {} reaches beyond the file, which has {} bytes more", length,
                             file.left()));
  }
  constexpr std::uint32_t longest = 1U << 16;
  if (length > longest) refuse(file, fmt::format("header length {}, expected at most {}", length, longest));
  std::string text(length, '\0');
  file.read(text.data(), text.size());
  return text;
}

Opened::Opened(const std::filesystem::path& path) : file(path) {
  const std::string text = read_header_text(file);
  Header header = HeaderParser(file, text).parse();

  const std::string_view descr = header.descr;
  const std::string_view code = descr.empty() ? descr : descr.substr(1);
  const auto found =
      std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& d) { return d.code == code; });
  if (found == dtypes.end() || (descr.front() != '<' && descr.front() != '>' && descr.front() != '|')) {
    refuse(file, fmt::format("dtype '{}', expected one of {}", one_line(descr, 40), known_dtypes));
  }
  if (descr.front() == '>' && found->size > 1) {
    refuse(file, fmt::format("dtype '{0}' is big-endian, expected '<{1}'; save it with .astype('<{1}')",
                             descr, code));
  }
  if (descr.front() == '|' && found->size > 1)
    refuse(file, fmt::format("dtype '{0}', expected '<{1}'", descr, code));
  dtype = *found;
  shape = std::move(header.shape);
  if (shape.size() > 32)
    refuse(file, fmt::format("shape has {} dimensions, expected at most 32", shape.size()));
  if (header.fortran_order && shape.size() > 1) {
    refuse(file,
           "stored by columns (fortran_order True), expected by rows; save it with numpy.ascontiguousarray");
  }

  const std::optional<std::uint64_t> bytes = bytes_needed(shape, dtype.size);
  if (!bytes) {
    refuse(file, fmt::format("shape {} of {} is larger than any memory; the file holds {} bytes of it",
                             as_text(shape), dtype.name, file.left()));
  }
  if (*bytes != file.left()) {
    refuse(file,
           fmt::format("shape {} of {} takes {} bytes, found {}; it is {}", as_text(shape), dtype.name,
                       *bytes, file.left(), file.left() < *bytes ? "truncated" : "longer than one array"));
  }
  count = static_cast<std::size_t>(*bytes / dtype.size);
}

void check_booleans(const InputFile& file, std::span<const std::uint8_t> values) {
  const auto wrong = std::find_if(values.begin(), values.end(), [](std::uint8_t value) { return value > 1; });
  if (wrong == values.end()) return;
  refuse(file, fmt::format("bool element {} is {}, expected 0 or 1", wrong - values.begin(), *wrong));
}

// Reads numbers stored as Stored and hands them on as Wanted, a block at a time.
template <class Wanted, class Stored, class Convert>
void read_converted(Opened& npy, void* destination, Convert convert) {
  auto* next = static_cast<Wanted*>(destination);
  std::vector<Stored> block(std::min<std::size_t>(npy.count, 1U << 16));
  for (std::size_t left = npy.count; left > 0;) {
    const std::size_t some = std::min(left, block.size());
    npy.file.read(block.data(), some * sizeof(Stored));
    next = std::transform(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(some), next, convert);
    left -= some;
  }
}

template <class Wanted>
void read_as_real(Opened& npy, void* destination) {
  if (npy.dtype.name == "float16") {
    read_converted<Wanted, simd::Float16>(npy, destination,
                                          [](simd::Float16 h) { return static_cast<Wanted>(simd::widen(h)); });
  } else if (npy.dtype.name == "float32") {
    read_converted<Wanted, float>(npy, destination, [](float value) { return static_cast<Wanted>(value); });
  } else {
    // A float64 beyond float32's range becomes an infinity, as in NumPy.
    read_converted<Wanted, double>(npy, destination, [](double value) { return static_cast<Wanted>(value); });
  }
}

bool can_read(std::string_view stored, std::string_view wanted) {
  if (stored == wanted) return true;
  if (wanted == "float32" || wanted == "float64") return stored.starts_with("float");
  if (wanted == "int64") return stored == "int32" || stored == "uint8" || stored == "bool";
  return wanted == "uint8" && stored == "bool";
}

// ---- Writing
// ---------------------------------------------------------------------------------------------------------

std::string header_bytes(const Dtype& dtype, std::span<const std::size_t> shape) {
  std::string lengths = fmt::format("{}", fmt::join(shape, ", "));
  if (shape.size() == 1) lengths += ",";
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                 dtype.size == 1 ? '|' : '<', dtype.code, lengths);
  // The numbers begin at a multiple of 64, so that the file can be mapped into memory: 10 bytes, text,
  // newline.
  text.append((64 - (10 + text.size() + 1) % 64) % 64, ' ');
  text += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size() & 0xFFU);
  bytes += static_cast<char>(text.size() >> 8);
  return bytes + text;
}

}  // namespace

namespace detail {

void load_elements(const std::filesystem::path& path, std::size_t rank, std::string_view wanted,
                   const std::function<void*(std::span<const std::size_t>)>& allocate) {
  Opened npy(path);
  if (npy.shape.size() != rank) {
    refuse(npy.file, fmt::format("shape {} has {} dimensions, expected {}", as_text(npy.shape),
                                 npy.shape.size(), rank));
  }
  if (!can_read(npy.dtype.name, wanted)) {
    refuse(npy.file, fmt::format("dtype {}, expected {}", npy.dtype.name,
                                 wanted.starts_with("float") ? "float16, float32 or float64" : wanted));
  }
  void* destination = allocate(npy.shape);
  if (npy.count == 0) return;
  if (npy.dtype.name == wanted || (npy.dtype.name == "bool" && wanted == "uint8")) {
    if (npy.dtype.name == "bool") {
      npy.file.read(destination, npy.count);
      check_booleans(npy.file, {static_cast<const std::uint8_t*>(destination), npy.count});
    } else {
      npy.file.read(destination, npy.count * npy.dtype.size);
    }
  } else if (wanted == "float32") {
    read_as_real<float>(npy, destination);
  } else if (wanted == "float64") {
    read_as_real<double>(npy, destination);
  } else if (npy.dtype.name == "int32") {
    read_converted<std::int64_t, std::int32_t>(npy, destination,
                                               [](std::int32_t v) { return std::int64_t{v}; });
  } else {
    const bool is_bool = npy.dtype.name == "bool";
    read_converted<std::int64_t, std::uint8_t>(npy, destination, [&](std::uint8_t v) {
      if (is_bool) check_booleans(npy.file, {&v, 1});
      return std::int64_t{v};
    });
  }
}

void save_elements(const std::filesystem::path& path, std::string_view dtype, std::size_t element_size,
                   const void* data, std::span<const std::size_t> shape) {
  std::size_t count = 1;
  for (std::size_t length : shape) count *= length;
  const std::string header = header_bytes(dtype_named(dtype), shape);
  const std::array<std::string_view, 2> pieces{header,
                                               {static_cast<const char*>(data), count * element_size}};
  program::write_file(path, pieces);
}

}  // namespace detail

NpyArray read_npy(const std::filesystem::path& path) {
  Opened npy(path);
  NpyArray array{npy.shape, std::string(npy.dtype.name), std::vector<std::byte>(npy.count * npy.dtype.size)};
  if (npy.count > 0) npy.file.read(array.bytes.data(), array.bytes.size());
  if (array.dtype == "bool") {
    check_booleans(npy.file, {reinterpret_cast<const std::uint8_t*>(array.bytes.data()), array.bytes.size()});
  }
  return array;
}

NpyArray read_npy_header(const std::filesystem::path& path) {
  const Opened npy(path);
  return {npy.shape, std::string(npy.dtype.name), {}};
}

void write_npy(const std::filesystem::path& path, const NpyArray& array) {
  const Dtype& dtype = dtype_named(array.dtype);
  const std::optional<std::uint64_t> bytes = bytes_needed(array.shape, dtype.size);
  if (bytes != array.bytes.size()) {
    throw UserError(fmt::format("{}: shape {} of {} does not go with {} bytes", one_line(path.string()),
                                as_text(array.shape), array.dtype, array.bytes.size()));
  }
  detail::save_elements(path, array.dtype, dtype.size, array.bytes.data(), array.shape);
}

}  // namespace attention::tensor
