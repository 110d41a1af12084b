#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "catch.hpp"
#include "program/error.hpp"

namespace attention::tests {

/// A folder of its own for one test, removed at its end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "attention_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline void put(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

inline std::string get(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Files in a folder, hidden ones too.
inline std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// The one line that `action` refuses with, or "accepted". Any other exception passes on and fails the test.
template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const program::UserError& error) {
    const std::string line = error.what();
    if (line.empty() || line.find('\n') != std::string::npos)
      throw std::runtime_error("not one line: " + line);
    return line;
  }
  return "accepted";
}

/// Whether the line holds all the words; shows it where not.
inline bool says(const std::string& line, std::initializer_list<const char*> words) {
  for (const char* word : words) {
    if (line.find(word) != std::string::npos) continue;
    UNSCOPED_INFO("'" << line << "' does not say '" << word << "'");
    return false;
  }
  return true;
}

}  // namespace attention::tests
