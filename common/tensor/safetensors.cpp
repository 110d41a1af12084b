#include "tensor/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>

#include "numerics/hash.hpp"
#include "program/atomic_file.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/json.hpp"
#include "program/text.hpp"
#include "simd/storage.hpp"
#include "tensor/bytes_needed.hpp"

namespace attention::tensor {
namespace {

using program::InputFile;
using program::one_line;
using program::UserError;

static_assert(std::endian::native == std::endian::little, ".safetensors files are read and written as they lie in memory");

constexpr std::array all_dtypes{SafeDtype::F16, SafeDtype::F32, SafeDtype::F64, SafeDtype::I64};
constexpr std::string_view metadata_key = "__metadata__";
constexpr const char* sum_key = "content_sum";
/// The longest header that the format's own library takes.
constexpr std::uint64_t longest_header = 100'000'000;
constexpr std::size_t length_bytes = 8;

std::string as_text(std::span<const std::size_t> shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

[[noreturn]] void refuse(const std::string& file, std::string_view what) {
  throw UserError(fmt::format("{}: {}", file, what));
}

/// Of numbers, and of texts with their lengths.
class Sum {
 public:
  void add(const void* data, std::size_t bytes) { sum_.add(data, bytes); }
  void add(std::uint64_t number) { add(&number, sizeof number); }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    add(text.data(), text.size());
  }
  std::string hex() const { return fmt::format("{:016x}", sum_.value()); }

 private:
  numerics::Fnv1a sum_;
};

/// Of tensors and metadata in the order of their names.
std::string content_sum(std::vector<const SafeTensor*> tensors, const std::map<std::string, std::string>& metadata) {
  std::ranges::sort(tensors, {}, [](const SafeTensor* t) -> const std::string& { return t->name; });
  Sum sum;
  for (const auto& [key, text] : metadata) {
    if (key == sum_key) continue;
    sum.add(key);
    sum.add(text);
  }
  for (const SafeTensor* tensor : tensors) {
    sum.add(tensor->name);
    sum.add(name_of(tensor->dtype));
    sum.add(std::uint64_t{tensor->shape.size()});
    for (const std::size_t length : tensor->shape) sum.add(std::uint64_t{length});
    sum.add(std::uint64_t{tensor->bytes.size()});
    sum.add(tensor->bytes.data(), tensor->bytes.size());
  }
  return sum.hex();
}

// ---- Reading ----------------------------------------------------------------------------------------------------------------

/// What the header says of one tensor.
struct Entry {
  std::string name;
  SafeDtype dtype{};
  std::vector<std::size_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Sorted by key: a header may hold a million of them.
using Header = nlohmann::json;
using Event = Header::parse_event_t;

Header parse_header(const std::string& file, std::string_view text) {
  // A key that stands twice would silently lose one of its values; the parser tells of each key that it meets.
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Event event, Header& value) {
    if (depth > 3) refuse(file, "header: lists within lists, expected an object of objects");
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second)
      refuse(file, fmt::format("header: '{}' is there twice", one_line(value.get<std::string>(), 60)));
    return true;
  };
  try {
    return Header::parse(text, watch);
  } catch (const Header::exception& error) {
    refuse(file, fmt::format("header is not JSON ({})", one_line(error.what(), 160)));
  }
}

std::uint64_t whole_number(const std::string& file, const std::string& tensor, const char* field, const Header& value) {
  if (!value.is_number_unsigned())
    refuse(file, fmt::format("tensor '{}': {} holds {}, expected whole numbers from 0 to 2^64", tensor, field,
                             one_line(value.dump(-1, ' ', true), 40)));
  return value.get<std::uint64_t>();
}

Entry parse_entry(const std::string& file, const std::string& key, const Header& fields) {
  const std::string name = one_line(key, 60);
  if (!fields.is_object() || fields.size() != 3 || !fields.contains("dtype") || !fields.contains("shape") ||
      !fields.contains("data_offsets")) {
    refuse(file, fmt::format("tensor '{}': found {}, expected dtype, shape and data_offsets", name,
                             one_line(fields.dump(-1, ' ', true), 80)));
  }
  Entry entry;
  entry.name = key;
  const Header& dtype = fields["dtype"];
  const auto found = std::ranges::find_if(
      all_dtypes, [&](SafeDtype d) { return dtype.is_string() && dtype.get_ref<const std::string&>() == name_of(d); });
  if (found == all_dtypes.end())
    refuse(file, fmt::format("tensor '{}': dtype is {}, expected F16, F32, F64 or I64", name, one_line(dtype.dump(-1, ' ', true), 40)));
  entry.dtype = *found;

  const Header& shape = fields["shape"];
  if (!shape.is_array() || shape.size() > 32)
    refuse(file, fmt::format("tensor '{}': shape is {}, expected a list of at most 32 lengths", name,
                             one_line(shape.dump(-1, ' ', true), 60)));
  for (const Header& length : shape) entry.shape.push_back(whole_number(file, name, "shape", length));

  const Header& offsets = fields["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    refuse(file, fmt::format("tensor '{}': data_offsets is {}, expected [begin, end]", name,
                             one_line(offsets.dump(-1, ' ', true), 60)));
  entry.begin = whole_number(file, name, "data_offsets", offsets[0]);
  entry.end = whole_number(file, name, "data_offsets", offsets[1]);
  if (entry.end < entry.begin)
    refuse(file, fmt::format("tensor '{}': data_offsets end at {}, before they begin at {}", name, entry.end, entry.begin));

  const std::optional<std::uint64_t> bytes = bytes_needed(entry.shape, bytes_of(entry.dtype));
  if (!bytes)
    refuse(file, fmt::format("tensor '{}': shape {} of {} is larger than any memory", name, as_text(entry.shape), name_of(entry.dtype)));
  if (*bytes != entry.end - entry.begin)
    refuse(file, fmt::format("tensor '{}': shape {} of {} takes {} bytes, its data_offsets hold {}", name, as_text(entry.shape),
                             name_of(entry.dtype), *bytes, entry.end - entry.begin));
  return entry;
}

std::map<std::string, std::string> parse_metadata(const std::string& file, const Header& fields) {
  std::map<std::string, std::string> metadata;
  if (!fields.is_object()) refuse(file, "__metadata__ is not a list of texts by key");
  for (const auto& [key, value] : fields.items()) {
    if (!value.is_string()) refuse(file, fmt::format("__metadata__ '{}' is not a text", one_line(key, 60)));
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

std::string read_header(InputFile& file) {
  if (file.size() < length_bytes + 2)
    refuse(file.name(), fmt::format("not a .safetensors file: {} bytes, a header takes at least 10", file.size()));
  std::uint64_t length = 0;
  file.read(&length, length_bytes);
  if (length > file.left())
    refuse(file.name(), fmt::format("not a whole .safetensors file: its header has {} bytes, {} follow", length, file.left()));
  if (length > longest_header)
    refuse(file.name(), fmt::format("header length {}, expected at most {}", length, longest_header));
  std::string text(static_cast<std::size_t>(length), '\0');
  file.read(text.data(), text.size());
  if (!text.starts_with('{'))
    refuse(file.name(), fmt::format("not a .safetensors file: its header begins with '{}', expected '{{'", one_line(text.substr(0, 4))));
  return text;
}

/// The entries in the order of their data, which fill `bytes` bytes without overlap or hole.
void order_and_check(const std::string& file, std::vector<Entry>& entries, std::uint64_t bytes) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name); });
  std::uint64_t reached = 0;
  for (const Entry& entry : entries) {
    const std::string name = one_line(entry.name, 60);
    if (entry.end > bytes)
      refuse(file, fmt::format("tensor '{}' ends at byte {} of the data, the file holds {}; it is truncated", name, entry.end, bytes));
    if (entry.begin < reached)
      refuse(file, fmt::format("tensor '{}' begins at byte {} of the data, within another one that ends at {}", name, entry.begin, reached));
    if (entry.begin > reached)
      refuse(file, fmt::format("tensor '{}' begins at byte {} of the data, expected {}: bytes between belong to none", name, entry.begin,
                               reached));
    reached = entry.end;
  }
  if (reached != bytes)
    refuse(file, fmt::format("the tensors take {} bytes, the file holds {}; it is longer than they are", reached, bytes));
}

// ---- Numbers ----------------------------------------------------------------------------------------------------------------

template <class Stored, class Wanted, class Convert>
std::vector<Wanted> converted(const SafeTensor& tensor, Convert convert) {
  std::vector<Wanted> result(tensor.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, tensor.bytes.data() + i * sizeof stored, sizeof stored);
    result[i] = convert(stored);
  }
  return result;
}

template <class Wanted>
std::vector<Wanted> reals(const SafeTensor& tensor) {
  switch (tensor.dtype) {
    case SafeDtype::F16: return converted<simd::Float16, Wanted>(tensor, [](simd::Float16 x) { return static_cast<Wanted>(simd::widen(x)); });
    case SafeDtype::F32: return converted<float, Wanted>(tensor, [](float x) { return static_cast<Wanted>(x); });
    case SafeDtype::F64: return converted<double, Wanted>(tensor, [](double x) { return static_cast<Wanted>(x); });
    case SafeDtype::I64: break;
  }
  throw UserError(fmt::format("tensor '{}' is I64, expected F16, F32 or F64", one_line(tensor.name, 60)));
}

template <class T>
SafeTensor make(std::string name, std::vector<std::size_t> shape, std::span<const T> numbers, SafeDtype dtype) {
  if (bytes_needed(shape, sizeof(T)) != numbers.size_bytes())
    throw std::invalid_argument(fmt::format("tensor '{}': shape {} does not go with {} numbers", name, as_text(shape), numbers.size()));
  const auto bytes = std::as_bytes(numbers);
  return {std::move(name), std::move(shape), dtype, {bytes.begin(), bytes.end()}};
}

}  // namespace

std::string_view name_of(SafeDtype dtype) {
  switch (dtype) {
    case SafeDtype::F16: return "F16";
    case SafeDtype::F32: return "F32";
    case SafeDtype::F64: return "F64";
    case SafeDtype::I64: return "I64";
  }
  throw std::invalid_argument("no such dtype");
}

std::size_t bytes_of(SafeDtype dtype) { return dtype == SafeDtype::F16 ? 2 : dtype == SafeDtype::F32 ? 4 : 8; }

std::vector<float> SafeTensor::floats() const { return reals<float>(*this); }
std::vector<double> SafeTensor::doubles() const { return reals<double>(*this); }
std::vector<std::int64_t> SafeTensor::integers() const {
  if (dtype != SafeDtype::I64)
    throw UserError(fmt::format("tensor '{}' is {}, expected I64", one_line(name, 60), name_of(dtype)));
  return converted<std::int64_t, std::int64_t>(*this, [](std::int64_t x) { return x; });
}

SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const float> numbers, SafeDtype dtype) {
  if (dtype == SafeDtype::F32) return make(std::move(name), std::move(shape), numbers, dtype);
  if (dtype != SafeDtype::F16) throw std::invalid_argument("float32 numbers are stored as F16 or F32");
  std::vector<simd::Float16> halves(numbers.size());
  std::ranges::transform(numbers, halves.begin(), simd::to_float16);
  return make(std::move(name), std::move(shape), std::span<const simd::Float16>(halves), dtype);
}
SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const double> numbers) {
  return make(std::move(name), std::move(shape), numbers, SafeDtype::F64);
}
SafeTensor make_safe_tensor(std::string name, std::vector<std::size_t> shape, std::span<const std::int64_t> numbers) {
  return make(std::move(name), std::move(shape), numbers, SafeDtype::I64);
}

bool SafeTensors::has(std::string_view name) const {
  return std::ranges::any_of(tensors, [&](const SafeTensor& t) { return t.name == name; });
}

const SafeTensor& SafeTensors::at(std::string_view name) const {
  const auto found = std::ranges::find(tensors, name, &SafeTensor::name);
  if (found == tensors.end()) refuse(file, fmt::format("no tensor '{}' among its {}", one_line(name, 60), tensors.size()));
  return *found;
}

const SafeTensor& SafeTensors::at(std::string_view name, std::span<const std::size_t> shape) const {
  const SafeTensor& tensor = at(name);
  if (!std::ranges::equal(tensor.shape, shape))
    refuse(file, fmt::format("tensor '{}' has shape {}, expected {}", one_line(name, 60), as_text(tensor.shape), as_text(shape)));
  return tensor;
}

const std::string& SafeTensors::text(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found == metadata.end()) refuse(file, fmt::format("no '{}' in its metadata", one_line(key, 60)));
  return found->second;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  InputFile file(path);
  const Header header = parse_header(file.name(), read_header(file));
  SafeTensors result;
  result.file = file.name();
  std::vector<Entry> entries;
  for (const auto& [key, fields] : header.items()) {
    if (key == metadata_key)
      result.metadata = parse_metadata(file.name(), fields);
    else
      entries.push_back(parse_entry(file.name(), key, fields));
  }
  order_and_check(file.name(), entries, file.left());
  for (const Entry& entry : entries) {
    SafeTensor tensor{entry.name, entry.shape, entry.dtype, std::vector<std::byte>(static_cast<std::size_t>(entry.end - entry.begin))};
    if (!tensor.bytes.empty()) file.read(tensor.bytes.data(), tensor.bytes.size());
    result.tensors.push_back(std::move(tensor));
  }
  if (const auto sum = result.metadata.find(sum_key); sum != result.metadata.end()) {
    std::vector<const SafeTensor*> order;
    for (const SafeTensor& tensor : result.tensors) order.push_back(&tensor);
    const std::string found = content_sum(order, result.metadata);
    if (found != sum->second)
      refuse(file.name(), fmt::format("the sum of its content is {}, should be {}; it was damaged", found, one_line(sum->second, 40)));
    result.metadata.erase(sum);
  }
  return result;
}

void write_safetensors(const std::filesystem::path& path, std::span<const SafeTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string file = one_line(path.string());
  if (metadata.contains(sum_key)) refuse(file, fmt::format("the metadata key '{}' is taken by the sum of the content", sum_key));
  std::vector<const SafeTensor*> order;
  for (const SafeTensor& tensor : tensors) order.push_back(&tensor);
  std::ranges::stable_sort(order, std::greater<>(), [](const SafeTensor* t) { return bytes_of(t->dtype); });

  Json header = Json::object();
  header[std::string(metadata_key)] = metadata;
  header[std::string(metadata_key)][sum_key] = content_sum(order, metadata);
  std::uint64_t reached = 0;
  for (const SafeTensor* tensor : order) {
    if (bytes_needed(tensor->shape, bytes_of(tensor->dtype)) != tensor->bytes.size())
      refuse(file, fmt::format("tensor '{}': shape {} of {} does not go with {} bytes", one_line(tensor->name, 60),
                               as_text(tensor->shape), name_of(tensor->dtype), tensor->bytes.size()));
    if (header.contains(tensor->name))
      refuse(file, fmt::format("the name '{}' is {}", one_line(tensor->name, 60),
                               tensor->name == metadata_key ? "that of the metadata" : "there twice"));
    const std::uint64_t end = reached + tensor->bytes.size();
    header[tensor->name] = {{"dtype", name_of(tensor->dtype)}, {"shape", tensor->shape}, {"data_offsets", {reached, end}}};
    reached = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
    refuse(file, fmt::format("a name or a text of the metadata is not UTF-8 ({})", one_line(error.what(), 120)));
  }
  text.append((length_bytes - text.size() % length_bytes) % length_bytes, ' ');

  const std::uint64_t length = text.size();
  std::vector<std::string_view> pieces{{reinterpret_cast<const char*>(&length), sizeof length}, text};
  for (const SafeTensor* tensor : order) pieces.emplace_back(reinterpret_cast<const char*>(tensor->bytes.data()), tensor->bytes.size());
  program::write_file(path, pieces);
}

}  // namespace attention::tensor
