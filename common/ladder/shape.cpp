#include "ladder/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <stdexcept>

#include "program/error.hpp"

namespace attention::ladder {

Index Shape::operator[](std::string_view name) const {
  for (const auto& [key, value] : values_)
    if (key == name) return value;
  throw std::out_of_range(fmt::format("shape has no '{}'", name));
}

Shape Shape::with(std::string_view name, Index value) const {
  Shape changed = *this;
  for (auto& [key, old] : changed.values_)
    if (key == name) {
      old = value;
      return changed;
    }
  throw std::out_of_range(fmt::format("shape has no '{}'", name));
}

Shape Shape::worded(const std::vector<ShapeKey>& keys) const {
  Shape shape = *this;
  shape.worded_.clear();
  std::ranges::copy_if(keys, std::back_inserter(shape.worded_), [](const ShapeKey& key) { return !key.words.empty(); });
  return shape;
}

std::string Shape::word(std::string_view name) const {
  const auto key = std::ranges::find(worded_, name, &ShapeKey::name);
  return key == worded_.end() ? std::string() : key->words.at(static_cast<std::size_t>((*this)[name]));
}

std::string Shape::text() const {
  std::vector<std::string> parts;
  for (const auto& [key, value] : values_) {
    const std::string named = word(key);
    parts.push_back(fmt::format("{}={}", key, named.empty() ? std::to_string(value) : named));
  }
  return fmt::format("{}", fmt::join(parts, ","));
}

namespace {

Index parse_word(std::string_view key, std::string_view text, const std::vector<std::string>& words) {
  const auto found = std::ranges::find(words, text);
  if (found == words.end())
    throw program::UserError(fmt::format("shape: {}={} is not one of {}", key, text, fmt::join(words, ", ")));
  return found - words.begin();
}

Index parse_size(std::string_view key, std::string_view text, Index minimum) {
  Index value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    throw program::UserError(fmt::format("shape: {}={} is too large a number; give a smaller one", key, text));
  if (error != std::errc{} || end != text.data() + text.size())
    throw program::UserError(fmt::format("shape: {}={} is not a whole number; write for example {}=64", key, text, key));
  if (value < minimum)
    throw program::UserError(fmt::format("shape: {}={} is below {}; give {} or more", key, value, minimum, minimum));
  return value;
}

}  // namespace

Shape parse_shape(std::string_view text, const std::vector<ShapeKey>& keys) {
  std::map<std::string, Index, std::less<>> given;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const auto equals = item.find('=');
    const std::string_view name = item.substr(0, equals);
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const ShapeKey& k) { return k.name == name; });
    if (key == keys.end()) {
      std::vector<std::string> names;
      for (const ShapeKey& k : keys) names.push_back(k.name);
      throw program::UserError(fmt::format("shape: there is no '{}'; the keys are {}", name, fmt::join(names, ", ")));
    }
    if (equals == std::string_view::npos)
      throw program::UserError(fmt::format("shape: '{}' has no value; write {}=64", name, name));
    const std::string_view written = item.substr(equals + 1);
    const Index value = key->words.empty() ? parse_size(name, written, key->minimum) : parse_word(name, written, key->words);
    if (!given.emplace(name, value).second)
      throw program::UserError(fmt::format("shape: {} is given twice; give it once", name));
  }

  std::vector<std::pair<std::string, Index>> values;
  for (const ShapeKey& key : keys) {
    Index value = key.default_value;
    if (const auto found = given.find(key.name); found != given.end())
      value = found->second;
    else if (!key.same_as.empty())
      value = Shape(values)[key.same_as];
    values.emplace_back(key.name, value);
  }
  return Shape(std::move(values)).worded(keys);
}

}  // namespace attention::ladder
