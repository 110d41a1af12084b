// Tensors on lent memory, and problems made of a caller's arrays.
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "ladder/inputs.hpp"
#include "ladder/registry.hpp"
#include "program/error.hpp"
#include "tensor/npy.hpp"
#include "tensor/tensor.hpp"
#include "unit_files.hpp"

namespace {

using namespace attention;
using tensor::Tensor;

std::vector<float> counted(std::size_t size) {
  std::vector<float> numbers(size);
  std::iota(numbers.begin(), numbers.end(), 1.F);
  return numbers;
}

std::string reason_of(auto&& work) {
  try {
    work();
  } catch (const program::UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a tensor reads lent memory where it lies", "[unit]") {
  std::vector<float> memory = counted(6);
  Tensor<3> lent = tensor::lent<3>(memory.data(), {1, 2, 3});
  CHECK(lent.data() == memory.data());
  CHECK(lent(0, 1, 2) == 6);
  CHECK(lent.strides()[0] == 0);  // as of every dimension of size 1
  memory[5] = 7;
  CHECK(lent(0, 1, 2) == 7);

  Tensor<3> moved = std::move(lent);
  CHECK(moved.data() == memory.data());

  Tensor<3> copy = moved;
  CHECK(copy.data() != memory.data());
  copy(0, 0, 0) = 9;
  CHECK(memory[0] == 1);

  // What is lent is not written over by another's numbers, and a size that changes leaves it.
  moved = copy;
  CHECK(moved.data() != memory.data());
  CHECK(memory[0] == 1);
  Tensor<3> resized = tensor::lent<3>(memory.data(), {1, 2, 3});
  resized.resize({2, 2, 2});
  resized.fill(5);
  CHECK(memory == std::vector<float>{1, 2, 3, 4, 5, 7});
}

TEST_CASE("inputs come from files and from memory alike", "[unit]") {
  const tests::Scratch folder;
  const std::vector<float> numbers = counted(6);
  const std::vector<std::size_t> shape{2, 3};
  tensor::save(folder / "x.npy", numbers.data(), std::span(shape));
  const std::vector<std::string> names{"x", "y"};
  const std::vector<ladder::InputSource> sources{folder / "x.npy", ladder::LentArray{{2, 3}, numbers.data()}};
  const ladder::Inputs inputs(sources, names, {{"causal", 1}});
  const Tensor<4> file = inputs.tensor<4>(0, 2);
  const Tensor<4> memory = inputs.tensor<4>(1, 2);
  CHECK(file == memory);
  CHECK(memory.shape()[2] == 2);
  CHECK(memory.data() == numbers.data());
  CHECK(inputs.setting("causal", 0) == 1);
  CHECK(inputs.whole_setting("window", 7) == 7);
  CHECK(inputs.first(1).size() == 1);
  CHECK(reason_of([&] { inputs.tensor<1>(1, 1); }) == "y: it has 2 dimensions, expected 1");
  CHECK(reason_of([&] { inputs.tensor<4>(0, 3); }) == (folder / "x.npy").string() + ": it has 2 dimensions, expected 3 to 4");
  const std::vector<ladder::InputSource> empty{ladder::LentArray{{2, 0}, numbers.data()}};
  CHECK(reason_of([&] { ladder::Inputs(empty, names).tensor<4>(0, 2); }) == "x: a dimension has size 0, expected 1 or more");
}

TEST_CASE("a problem takes its settings by name, within their bounds", "[unit]") {
  const ladder::AnyMechanism& mechanism = ladder::find_mechanism(ladder::all_mechanisms(), "dot_product");
  const std::vector<float> numbers = counted(12);
  const std::vector<ladder::InputSource> tensors(3, ladder::LentArray{{4, 3}, numbers.data()});
  CHECK(mechanism.from_inputs(tensors, {{"causal", 1}})->shape()["causal"] == 1);
  CHECK(mechanism.from_inputs(tensors, {{"window", 2}})->shape()["window"] == 2);
  CHECK(mechanism.from_inputs(tensors)->shape()["causal"] == 0);
  CHECK(reason_of([&] { mechanism.from_inputs(tensors, {{"cusal", 1}}); }) ==
        "dot_product has no setting 'cusal'; it has scale, causal, window");
  CHECK(reason_of([&] { mechanism.from_inputs(tensors, {{"causal", 2}}); }) ==
        "dot_product: causal is 2; it must be a whole number from 0 to 1");
  CHECK(reason_of([&] { mechanism.from_inputs(std::span(tensors).first(2)); }) == "dot_product takes 3 tensors (query, key, value), 2 were given");
}
