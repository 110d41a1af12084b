#include "loaders/folder.hpp"

#include <fmt/format.h>

#include <system_error>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::datasets {

namespace fs = std::filesystem;

bool has_folder(const fs::path& data_folder, const char* name) {
  const fs::path folder = data_folder / name;
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  // "Not found" also means that data_folder is a file.
  if (status.type() == fs::file_type::not_found && error != std::errc::not_a_directory) return false;
  if (fs::is_directory(status)) return true;
  throw program::UserError(fmt::format("cannot read the folder {}: {}; check --data", program::one_line(folder.string()),
                                       error ? error.message() : "it is not a folder"));
}

}  // namespace attention::datasets
