#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::ladder {

using tensor::Index;

/// One size of a mechanism's problem: its name on the command line, and what it is where it is left out.
struct ShapeKey {
  std::string name;
  std::string meaning;
  Index default_value = 1;
  std::string same_as;  ///< where not empty: left out, it takes this (earlier) key's value
  Index minimum = 1;
  std::vector<Index> awkward = {};  ///< sizes that the tests try; empty: the general list, which is meant for lengths
  std::vector<std::string> words = {};  ///< where not empty: the values 0, 1, … are written so
};

/// The sizes of a problem, by name, in the mechanism's order.
class Shape {
 public:
  Shape() = default;
  explicit Shape(std::vector<std::pair<std::string, Index>> values) : values_(std::move(values)) {}

  /// The size called `name`. Throws std::out_of_range for a name that the mechanism does not have.
  Index operator[](std::string_view name) const;
  /// The same shape with one size changed; keys that were left out and follow it are not changed.
  Shape with(std::string_view name, Index value) const;
  const std::vector<std::pair<std::string, Index>>& values() const { return values_; }
  /// The same shape, whose values are written as `keys` say.
  Shape worded(const std::vector<ShapeKey>& keys) const;
  /// The word for a value; empty where it is a number.
  std::string word(std::string_view name) const;
  /// As on the command line: "batch=1,heads=8,…".
  std::string text() const;

  friend bool operator==(const Shape& a, const Shape& b) { return a.values_ == b.values_; }

 private:
  std::vector<std::pair<std::string, Index>> values_;
  std::vector<ShapeKey> worded_;  ///< the keys that have words
};

/// Reads "heads=8,queries=2048": keys left out take their defaults.
/// Throws UserError for a key that is not among `keys` (the line lists them), one given twice, or a value below its minimum.
Shape parse_shape(std::string_view text, const std::vector<ShapeKey>& keys);

}  // namespace attention::ladder
