#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "program/json.hpp"

namespace attention::record {

/// A fault of what messages call `subject`: throws UserError.
[[noreturn]] void refuse(const std::string& subject, std::string_view what);

/// The JSON file of a record, and its fields as what they should be. Throws UserError, naming the file, the field, and
/// what was found and expected.
class Document {
 public:
  /// Reads the file, of 64 MB at most; it must hold an object whose field schema is `schema`.
  Document(const std::filesystem::path& file, std::size_t schema);

  const Json& json() const { return json_; }
  const std::string& subject() const { return subject_; }

  const Json& field(const Json& object, const char* name, Json::value_t type) const;
  std::string text(const Json& object, const char* name) const;
  /// A value that should be a whole number; `name` is for the message.
  std::size_t whole(const Json& value, const char* name) const;
  std::size_t number(const Json& object, const char* name) const;
  /// Whether field data says "real" and not "stand_in".
  bool real() const;
  /// A file beside the record; a name that leads elsewhere is refused. `what` is the field that names it.
  std::filesystem::path beside(const std::string& name, const char* what) const;

 private:
  std::filesystem::path file_;
  std::string subject_;
  Json json_;
};

}  // namespace attention::record
