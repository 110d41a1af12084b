#pragma once

#include <filesystem>

namespace attention::datasets {

/// Whether data_folder/name is there; where it is not, a loader gives its stand-in. Throws UserError where it is not a folder or
/// cannot be looked at, and where data_folder is a file: those are mistakes and not missing data.
bool has_folder(const std::filesystem::path& data_folder, const char* name);

}  // namespace attention::datasets
