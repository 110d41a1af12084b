#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/case.hpp"

namespace attention::conformance {

/// The attributes of a case by name and kind.
class Attributes {
 public:
  explicit Attributes(const Json& given) : given_(given) {}

  bool has(const char* name) const { return given_.contains(name); }
  /// A whole number within least … most; `otherwise` where it is not given. Throws UserError on anything else.
  Index integer(const char* name, Index otherwise, Index least = INT64_MIN, Index most = INT64_MAX) const;
  /// A whole number that must be given.
  Index required(const char* name, Index least) const;
  /// A list of whole numbers; empty where it is not given. Throws UserError on anything else.
  std::vector<Index> integers(const char* name) const;
  /// Any number, none where it is not given. Throws UserError on anything else.
  std::optional<double> real(const char* name) const;
  /// A word; `otherwise` where it is not given. Throws UserError on anything else.
  std::string text(const char* name, const char* otherwise) const;

 private:
  const Json& given_;
};

}  // namespace attention::conformance
