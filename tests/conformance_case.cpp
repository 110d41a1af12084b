#include "conformance_case.hpp"

#include <algorithm>
#include <stdexcept>

#include "simd/storage.hpp"
#include "unit_files.hpp"

namespace attention::tests {

namespace {

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The file that NumPy would write. (The project's own writer waits for the disk each time.)
std::string npy_file(const Array& array) {
  const std::string code = array.dtype == "float32"   ? "<f4"
                           : array.dtype == "float16" ? "<f2"
                           : array.dtype == "float64" ? "<f8"
                           : array.dtype == "int64"   ? "<i8"
                           : array.dtype == "int32"   ? "<i4"
                           : array.dtype == "bool"    ? "|b1"
                                                      : "|u1";
  std::string shape;
  for (const Index length : array.shape) shape += std::to_string(length) + ",";
  std::string bytes = npy_header(code, "(" + shape + ")");
  for (const double x : array.numbers) {
    if (code == "<f4")
      append(bytes, static_cast<float>(x));
    else if (code == "<f2")
      append(bytes, simd::to_float16(static_cast<float>(x)).bits);
    else if (code == "<f8")
      append(bytes, x);
    else if (code == "<i8")
      append(bytes, static_cast<std::int64_t>(x));
    else if (code == "<i4")
      append(bytes, static_cast<std::int32_t>(x));
    else
      append(bytes, static_cast<std::uint8_t>(x));
  }
  return bytes;
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

std::string npy_header(const std::string& descr, const std::string& shape) {
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(text.size() & 0xFF);
  bytes += static_cast<char>(text.size() >> 8);
  return bytes + text;
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
  for (const auto& [name, array] : arrays_) put(folder / (name + ".npy"), npy_file(array));
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
    if (std::ranges::find(outcome.report.rungs(), rung) == outcome.report.rungs().end())
      return "without the rung " + rung + ": " + outcome.line();
  return {};
}

}  // namespace attention::tests
