#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace attention::machine {

/// First line of a file of /proc or /sys without its line end; nothing where it cannot be read.
std::optional<std::string> read_line(const std::filesystem::path& file);

/// The number at the start of a file of /proc or /sys; nothing where there is none ("max").
std::optional<long long> read_number(const std::filesystem::path& file);

/// The text behind `name` and `separator` in a file of lines such as "MemTotal:  123 kB"; nothing where it is
/// not there.
std::optional<std::string> read_field(const std::filesystem::path& file, std::string_view name,
                                      char separator);

/// The CPUs of a list such as "0-2,5".
std::vector<int> parse_cpu_list(std::string_view list);

/// The folders whose limits bind this process for a controller ("cpu", "memory"): its own control group and
/// those above it, in version 2 and version 1 of control groups alike. May hold folders that do not exist.
std::vector<std::filesystem::path> control_group_folders(std::string_view controller);

}  // namespace attention::machine
