#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "conformance/runner.hpp"
#include "numerics/random.hpp"
#include "program/json.hpp"
#include "tensor/tensor.hpp"

/// Cases of standard operators made by the tests: numbers in float64, written as folders and read back by the command's own code.
namespace attention::tests {

using tensor::Index;

/// Numbers of a tensor, and the type in which a case stores them.
struct Array {
  std::string dtype = "float32";
  std::vector<Index> shape;
  std::vector<double> numbers;

  Array() = default;
  Array(std::string type, std::vector<Index> lengths);

  Index extent(std::size_t axis) const { return shape[axis]; }
  double& operator()(auto... place) { return numbers[at({static_cast<Index>(place)...})]; }
  double operator()(auto... place) const { return numbers[at({static_cast<Index>(place)...})]; }

 private:
  std::size_t at(std::initializer_list<Index> place) const;
};

/// What a .npy file begins with, by NumPy's name of the dtype ("<f4") and a tuple ("(2, 3)").
std::string npy_header(const std::string& descr, const std::string& shape);

/// As its dtype holds it: what a file of that dtype gives back.
double stored(const std::string& dtype, double x);

/// Close to normal numbers, as the dtype holds them.
Array normal(numerics::Random& random, const std::string& dtype, std::vector<Index> shape);

/// A case as a folder: put in the parts, then write.
class CaseWriter {
 public:
  CaseWriter(std::string op, int opset) {
    json = {{"op", op},
            {"opset", opset},
            {"attributes", Json::object()},
            {"inputs", Json::array()},
            {"outputs", Json::array()},
            {"tensors", Json::object()}};
  }

  void attribute(const std::string& name, const Json& value) { json["attributes"][name] = value; }
  void input(const std::string& name, const Array& array) { add("inputs", name, array); }
  void output(const std::string& name, const Array& array) { add("outputs", name, array); }
  void no_input() { json["inputs"].push_back(nullptr); }
  void no_output() { json["outputs"].push_back(nullptr); }

  /// Makes the folder, with case.json and one .npy a tensor.
  void write(const std::filesystem::path& folder) const;

  Json json;

 private:
  void add(const char* list, const std::string& name, const Array& array);

  std::vector<std::pair<std::string, Array>> arrays_;
};

/// Writes the case, runs it as the command does, removes it.
conformance::Outcome outcome_of(const CaseWriter& writer);

/// What is wrong with an outcome that should be: passed, within our aim where there is float32, each of `rungs` among those that
/// ran. Empty where nothing is.
std::string fault_of(const conformance::Outcome& outcome, const std::vector<std::string>& rungs);

}  // namespace attention::tests
