#include "record/document.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::record {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

void refuse(const std::string& subject, std::string_view what) {
  throw UserError(fmt::format("{}: {}", subject, what));
}

Document::Document(const fs::path& file, std::size_t schema) : file_(file), subject_(one_line(file.string())) {
  constexpr std::uint64_t most_bytes = 64U << 20;
  try {
    json_ = Json::parse(program::read_text(file, most_bytes));
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{} is not JSON: {}", subject_, one_line(error.what())));
  }
  if (!json_.is_object()) refuse(subject_, "expected a JSON object");
  const std::size_t version = number(json_, "schema");
  if (version != schema) refuse(subject_, fmt::format("schema {}, expected {}", version, schema));
}

const Json& Document::field(const Json& object, const char* name, Json::value_t type) const {
  const auto found = object.find(name);
  if (found == object.end()) refuse(subject_, fmt::format("field {} is missing", name));
  if (found->type() != type) {
    refuse(subject_, fmt::format("field {} is of type {}, expected {}", name, found->type_name(),
                                 Json(type).type_name()));
  }
  return *found;
}

std::string Document::text(const Json& object, const char* name) const {
  return field(object, name, Json::value_t::string).get<std::string>();
}

std::size_t Document::whole(const Json& value, const char* name) const {
  if (!value.is_number_unsigned()) {
    refuse(subject_, fmt::format("field {} is {}, expected a whole number", name,
                                 one_line(value.dump(-1, ' ', true, Json::error_handler_t::replace), 40)));
  }
  return value.get<std::size_t>();
}

std::size_t Document::number(const Json& object, const char* name) const {
  const auto found = object.find(name);
  if (found == object.end()) refuse(subject_, fmt::format("field {} is missing", name));
  return whole(*found, name);
}

bool Document::real() const {
  const std::string data = text(json_, "data");
  if (data != "real" && data != "stand_in") {
    refuse(subject_, fmt::format("data '{}', expected real or stand_in", one_line(data, 40)));
  }
  return data == "real";
}

fs::path Document::beside(const std::string& name, const char* what) const {
  const fs::path path(name);
  if (name.empty() || name.find('\0') != std::string::npos || path.filename() != path || name == "." ||
      name == "..") {
    refuse(subject_, fmt::format("field {} is '{}', expected a file name without a folder", what,
                                 one_line(name, 60)));
  }
  return file_.parent_path() / path;
}

}  // namespace attention::record
