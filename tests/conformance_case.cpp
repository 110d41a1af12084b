#include "conformance_case.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "simd/storage.hpp"
#include "tensor/npy.hpp"
#include "unit_files.hpp"

namespace attention::tests {

namespace {

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof value);
}

tensor::NpyArray as_npy(const Array& array) {
  tensor::NpyArray npy{{array.shape.begin(), array.shape.end()}, array.dtype, {}};
  for (const double x : array.numbers) {
    if (array.dtype == "float32")
      append(npy.bytes, static_cast<float>(x));
    else if (array.dtype == "float16")
      append(npy.bytes, simd::to_float16(static_cast<float>(x)).bits);
    else if (array.dtype == "float64")
      append(npy.bytes, x);
    else if (array.dtype == "int64")
      append(npy.bytes, static_cast<std::int64_t>(x));
    else if (array.dtype == "int32")
      append(npy.bytes, static_cast<std::int32_t>(x));
    else
      append(npy.bytes, static_cast<std::uint8_t>(x));
  }
  return npy;
}

}  // namespace

Array::Array(std::string type, std::vector<Index> lengths) : dtype(std::move(type)), shape(std::move(lengths)) {
  std::size_t count = 1;
  for (const Index length : shape) count *= static_cast<std::size_t>(length);
  numbers.assign(count, 0);
}

std::size_t Array::at(std::initializer_list<Index> place) const {
  if (place.size() != shape.size()) throw std::logic_error("a place of another rank");
  Index at = 0;
  auto length = shape.begin();
  for (const Index x : place) {
    if (x < 0 || x >= *length) throw std::logic_error("a place outside of the array");
    at = at * *length++ + x;
  }
  return static_cast<std::size_t>(at);
}

double stored(const std::string& dtype, double x) {
  if (dtype == "float16") return static_cast<double>(simd::widen(simd::to_float16(static_cast<float>(x))));
  return dtype == "float32" ? static_cast<double>(static_cast<float>(x)) : x;
}

Array normal(numerics::Random& random, const std::string& dtype, std::vector<Index> shape) {
  Array array(dtype, std::move(shape));
  for (double& x : array.numbers) x = stored(dtype, static_cast<double>(random.normal()));
  return array;
}

void CaseWriter::add(const char* list, const std::string& name, const Array& array) {
  json[list].push_back(name);
  json["tensors"][name] = {{"dtype", array.dtype}, {"shape", array.shape}};
  arrays_.emplace_back(name, array);
}

void CaseWriter::write(const std::filesystem::path& folder) const {
  std::filesystem::create_directories(folder);
  put(folder / "case.json", json.dump(1));
  for (const auto& [name, array] : arrays_) tensor::write_npy(folder / (name + ".npy"), as_npy(array));
}

conformance::Outcome outcome_of(const CaseWriter& writer) {
  const Scratch folder;
  writer.write(folder.path());
  return conformance::run_case(folder.path(), "made");
}

std::string fault_of(const conformance::Outcome& outcome, const std::vector<std::string>& rungs) {
  if (outcome.verdict != conformance::Verdict::passed) return outcome.line();
  if (outcome.report.aim_share().value_or(0) > 1) return "beyond our aim: " + outcome.line();
  for (const std::string& rung : rungs)
    if (std::ranges::find(outcome.report.rungs(), rung) == outcome.report.rungs().end()) return "without the rung " + rung + ": " + outcome.line();
  return {};
}

}  // namespace attention::tests
