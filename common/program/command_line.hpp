#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// Its header alone takes six seconds of every file that adds an option; only those pay it that ask for more than Option gives.
namespace CLI {
class App;
}

namespace attention::program {

/// What may be typed behind a program's name: an option where `name` begins with "--", otherwise an argument that must be given.
struct Option {
  std::string name;
  std::string meaning;  ///< for --help
  /// Holds the default, and then what was typed. A bool is a flag; a list takes one value each time the option is given.
  std::variant<bool*, std::string*, std::int64_t*, std::vector<std::string>*> value;
};

void add(CLI::App& app, const std::vector<Option>& options);

/// Parses the command line. Nothing: go on. A number: the program is done (`--help` was asked for and printed
/// on standard output) and ends with that status. Throws UserError, with CLI11's message in one line, on a
/// fault.
///
///     if (const auto status = program::parse(app, argc, argv)) return *status;
std::optional<int> parse(CLI::App& app, int argc, char** argv);

/// The same for a program with these options alone; `summary` and `name` are for --help.
std::optional<int> parse(const std::string& summary, const std::string& name, const std::vector<Option>& options, int argc, char** argv);

/// `text` as a whole number from 1 to `most`. Throws UserError naming `what` and the text on anything else:
/// 0, -1, 2x, an empty text, more than 64 bits.
std::int64_t parse_positive(std::string_view text, std::string_view what, std::int64_t most = INT64_MAX);

/// `text` as such numbers with commas between ("1,2"): at least one.
std::vector<std::int64_t> parse_positive_list(std::string_view text, std::string_view what,
                                              std::int64_t most = INT64_MAX);

/// `text` cut at each `separator`; "a,,b" has an empty middle part, and an empty text is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace attention::program
