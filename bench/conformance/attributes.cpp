#include "conformance/attributes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::conformance {

namespace {

[[noreturn]] void refuse(const char* name, const Json& value, const std::string& expected) {
  throw program::UserError(fmt::format("the attribute {} is {}, expected {}", name,
                                       program::one_line(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60),
                                       expected));
}

}  // namespace

Index Attributes::integer(const char* name, Index otherwise, Index least, Index most) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  const bool too_large = found->is_number_unsigned() && found->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (!found->is_number_integer() || too_large || found->get<Index>() < least || found->get<Index>() > most)
    refuse(name, *found,
           least == INT64_MIN && most == INT64_MAX ? "a whole number"
           : most == INT64_MAX                     ? fmt::format("a whole number from {}", least)
                                                   : fmt::format("a whole number from {} to {}", least, most));
  return found->get<Index>();
}

Index Attributes::required(const char* name, Index least) const {
  if (!has(name)) throw program::UserError(fmt::format("the attribute {} is missing", name));
  return integer(name, 0, least, INT32_MAX);
}

std::vector<Index> Attributes::integers(const char* name) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return {};
  const auto whole = [](const Json& x) {
    return x.is_number_integer() && !(x.is_number_unsigned() && x.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  };
  if (!found->is_array() || found->size() > 64 || !std::ranges::all_of(*found, whole)) refuse(name, *found, "a list of at most 64 whole numbers");
  return found->get<std::vector<Index>>();
}

std::optional<double> Attributes::real(const char* name) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return std::nullopt;
  if (!found->is_number()) refuse(name, *found, "a number");
  return found->get<double>();
}

std::string Attributes::text(const char* name, const char* otherwise) const {
  const auto found = given_.find(name);
  if (found == given_.end()) return otherwise;
  if (!found->is_string()) refuse(name, *found, "a word");
  return found->get<std::string>();
}

}  // namespace attention::conformance
