#include "conformance/case.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"
#include "simd/storage.hpp"

namespace attention::conformance {

namespace {

using program::one_line;
using program::UserError;

constexpr std::uint64_t longest_description = 1 << 20;
constexpr std::uint64_t largest_case = std::uint64_t{1} << 31;  ///< bytes of all tensors
constexpr std::size_t most_tensors = 64;

/// What is said of a case.json, with its faults.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const Json& all) : file_(one_line(file.filename().string())), all_(all) {}

  [[noreturn]] void refuse(const std::string& what) const { throw UserError(fmt::format("{}: {}", file_, what)); }

  const Json& field(const char* name, Json::value_t kind, const char* kind_name) const {
    const auto found = all_.find(name);
    if (found == all_.end()) refuse(fmt::format("the field {} is missing", name));
    // A whole number is read as unsigned where it can be.
    const bool whole = kind == Json::value_t::number_integer && found->is_number_integer();
    if (found->type() != kind && !whole)
      refuse(fmt::format("the field {} is a {}, expected {}", name, found->type_name(), kind_name));
    return *found;
  }

  std::vector<std::optional<TensorDescription>> tensors(const char* field_name) const {
    const Json& names = field(field_name, Json::value_t::array, "a list of names");
    if (names.size() > most_tensors)
      refuse(fmt::format("{} names {} tensors, expected at most {}", field_name, names.size(), most_tensors));
    std::vector<std::optional<TensorDescription>> described;
    for (const Json& name : names) {
      if (name.is_null())
        described.emplace_back();
      else if (name.is_string())
        described.push_back(tensor(name.get<std::string>()));
      else
        refuse(fmt::format("{} holds a {}, expected names and null", field_name, name.type_name()));
    }
    return described;
  }

 private:
  TensorDescription tensor(const std::string& name) const {
    const auto odd = [](char c) { return c == '/' || c == '\0'; };
    if (name.empty() || name.size() > 200 || name.front() == '.' || std::ranges::any_of(name, odd))
      refuse(fmt::format("the tensor name '{}' is not that of a file", one_line(name, 60)));
    const std::string shown = one_line(name, 60);
    const Json& all = field("tensors", Json::value_t::object, "an object");
    const auto found = all.find(name);
    if (found == all.end()) refuse(fmt::format("the tensor {} is not among the tensors", shown));
    const auto part = [&](const char* key) {
      const auto value = found->is_object() ? found->find(key) : found->end();
      if (!found->is_object() || value == found->end()) refuse(fmt::format("the {} of tensor {} is missing", key, shown));
      return *value;
    };
    TensorDescription described{name, {}, {}};
    const Json dtype = part("dtype");
    const Json shape = part("shape");
    if (!dtype.is_string()) refuse(fmt::format("the dtype of tensor {} is a {}, expected a name", shown, dtype.type_name()));
    if (!shape.is_array() || shape.size() > 32)
      refuse(fmt::format("the shape of tensor {} is not a list of at most 32 lengths", shown));
    described.dtype = dtype.get<std::string>();
    for (const Json& length : shape) {
      // Nonnegative whole numbers are read as unsigned.
      const bool fits = length.is_number_unsigned() && length.get<std::uint64_t>() <= largest_case;
      if (!fits)
        refuse(fmt::format("the shape of tensor {} holds {}, expected lengths from 0 to {}", shown, one_line(length.dump(), 60),
                           largest_case));
      described.shape.push_back(length.get<Index>());
    }
    return described;
  }

  std::string file_;
  const Json& all_;
};

/// Throws UserError where all tensors together are more than a case may hold. Zeros do not excuse absurd lengths beside them.
void refuse_oversized(const Reader& reader, const Description& d) {
  std::uint64_t numbers = 0;
  for (const auto* tensors : {&d.inputs, &d.outputs})
    for (const auto& tensor : *tensors) {
      if (!tensor) continue;
      std::uint64_t count = 1;
      for (const Index length : tensor->shape)
        if (length > 0)
          count = count > largest_case / static_cast<std::uint64_t>(length) ? largest_case + 1
                                                                            : count * static_cast<std::uint64_t>(length);
      numbers += count;
      if (numbers > largest_case / sizeof(float))
        reader.refuse(fmt::format("with the tensor {} of shape {} the case holds more than {} bytes, which is the most",
                                  one_line(tensor->name, 60), as_text(tensor->shape), largest_case));
    }
}

CaseTensor read_tensor(const std::filesystem::path& folder, const TensorDescription& d) {
  const std::string file = d.name + ".npy";
  const auto refuse = [&](const std::string& what) { throw UserError(fmt::format("{}: {}", one_line(file), what)); };
  const std::filesystem::path path = folder / file;
  const tensor::NpyArray header = tensor::read_npy_header(path);
  const Shape shape(header.shape.begin(), header.shape.end());
  if (header.dtype != d.dtype) refuse(fmt::format("dtype {}, but case.json says {}", header.dtype, one_line(d.dtype, 60)));
  if (shape != d.shape) refuse(fmt::format("shape {}, but case.json says {}", as_text(shape), as_text(d.shape)));
  return {d.name, tensor::read_npy(path)};
}

std::vector<std::optional<CaseTensor>> read_all(const std::filesystem::path& folder,
                                                const std::vector<std::optional<TensorDescription>>& described) {
  std::vector<std::optional<CaseTensor>> tensors;
  for (const auto& d : described)
    if (d)
      tensors.emplace_back(read_tensor(folder, *d));
    else
      tensors.emplace_back();
  return tensors;
}

}  // namespace

Description read_description(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "case.json";
  const std::string text = program::read_text(file, longest_description);
  Json all;
  try {
    all = Json::parse(text);
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("case.json: not JSON: {}", one_line(error.what())));
  }
  const Reader reader(file, all);
  if (!all.is_object()) reader.refuse(fmt::format("a {}, expected an object", all.type_name()));
  Description d;
  d.op = reader.field("op", Json::value_t::string, "a name").get<std::string>();
  const Json& opset = reader.field("opset", Json::value_t::number_integer, "a whole number");
  if (opset.is_number_unsigned() ? opset.get<std::uint64_t>() > 1000000 : true)
    reader.refuse(fmt::format("the field opset is {}, expected a whole number from 1", opset.dump()));
  d.opset = opset.get<Index>();
  d.attributes = reader.field("attributes", Json::value_t::object, "an object");
  d.inputs = reader.tensors("inputs");
  d.outputs = reader.tensors("outputs");
  refuse_oversized(reader, d);
  return d;
}

Case read_tensors(const std::filesystem::path& folder, const Description& d) {
  return {d.attributes, read_all(folder, d.inputs), read_all(folder, d.outputs)};
}

CaseTensor::CaseTensor(std::string name, tensor::NpyArray array)
    : name_(std::move(name)), array_(std::move(array)), shape_(array_.shape.begin(), array_.shape.end()) {
  for (const Index length : shape_) size_ *= length;
}

std::vector<float> CaseTensor::as_float() const {
  std::vector<float> numbers(static_cast<std::size_t>(size_));
  const auto convert = [&]<class T>(const T* from) {
    std::transform(from, from + size_, numbers.begin(), [](T x) { return static_cast<float>(x); });
  };
  if (dtype() == "float32")
    convert(data<float>());
  else if (dtype() == "float16")
    simd::widen_row(simd::Storage::float16, data<std::uint16_t>(), size_, numbers.data());
  else if (dtype() == "float64")
    convert(data<double>());
  else if (dtype() == "int64")
    convert(data<std::int64_t>());
  else if (dtype() == "int32")
    convert(data<std::int32_t>());
  else
    convert(data<std::uint8_t>());
  return numbers;
}

std::vector<Index> CaseTensor::as_index() const {
  if (dtype() == "int64") return {data<std::int64_t>(), data<std::int64_t>() + size_};
  if (dtype() == "int32") return {data<std::int32_t>(), data<std::int32_t>() + size_};
  throw UserError(fmt::format("{} is of dtype {}, expected int64", one_line(name_, 60), dtype()));
}

std::string as_text(std::span<const Index> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

void require_shape(const CaseTensor& tensor, const Shape& shape) {
  if (tensor.shape() != shape)
    throw UserError(
        fmt::format("{} has shape {}, expected {}", one_line(tensor.name(), 60), as_text(tensor.shape()), as_text(shape)));
}

void require_same_dtype(const CaseTensor& tensor, const CaseTensor& as) {
  if (tensor.dtype() != as.dtype())
    throw UserError(fmt::format("{} is of dtype {}, but {} of {}; they must be the same", one_line(tensor.name(), 60),
                                tensor.dtype(), one_line(as.name(), 60), as.dtype()));
}

void require_float(const CaseTensor& tensor) {
  if (tensor.dtype() != "float32" && tensor.dtype() != "float16")
    throw NotKnown(
        fmt::format("dtype {} of {} is not known here, float32 and float16 are", tensor.dtype(), one_line(tensor.name(), 60)));
}

}  // namespace attention::conformance
