#include "machine/system_files.hpp"

#include <charconv>
#include <fstream>
#include <sstream>

namespace attention::machine {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::optional<Number>(value) : std::nullopt;
}

// Whether "cpu,cpuacct" names "cpu".
bool names(const std::string& controllers, std::string_view controller) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == controller) return true;
  }
  return false;
}

void add_with_parents(const std::filesystem::path& mount, const std::filesystem::path& group,
                      std::vector<std::filesystem::path>& folders) {
  std::filesystem::path folder = mount;
  folders.push_back(folder);
  for (const auto& part : group.relative_path()) folders.push_back(folder /= part);
}

}  // namespace

std::optional<std::string> read_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return line;
}

std::optional<long long> read_number(const std::filesystem::path& file) {
  const auto line = read_line(file);
  return line ? parse<long long>(*line) : std::nullopt;
}

std::optional<std::string> read_field(const std::filesystem::path& file, std::string_view name,
                                      char separator) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const auto at = line.find(separator);
    if (at == std::string::npos || trim(std::string_view(line).substr(0, at)) != name) continue;
    return std::string(trim(std::string_view(line).substr(at + 1)));
  }
  return std::nullopt;
}

std::vector<int> parse_cpu_list(std::string_view list) {
  std::vector<int> cpus;
  std::istringstream ranges{std::string(list)};
  for (std::string range; std::getline(ranges, range, ',');) {
    const auto dash = range.find('-');
    const auto first = parse<int>(range);
    const auto last =
        dash == std::string::npos ? first : parse<int>(std::string_view(range).substr(dash + 1));
    if (!first || !last) continue;
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<std::filesystem::path> control_group_folders(std::string_view controller) {
  const std::filesystem::path root = "/sys/fs/cgroup";
  std::vector<std::filesystem::path> folders;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:group
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      add_with_parents(root, group, folders);
    } else if (names(controllers, controller)) {
      add_with_parents(root / controllers, group, folders);
      if (controllers != controller) add_with_parents(root / controller, group, folders);
    }
  }
  return folders;
}

}  // namespace attention::machine
