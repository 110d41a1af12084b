#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace attention::program {

/// Parses the command line. Nothing: go on. A number: the program is done (`--help` was asked for and printed
/// on standard output) and ends with that status. Throws UserError, with CLI11's message in one line, on a
/// fault.
///
///     if (const auto status = program::parse(app, argc, argv)) return *status;
std::optional<int> parse(CLI::App& app, int argc, char** argv);

/// `text` as a whole number from 1 to `most`. Throws UserError naming `what` and the text on anything else:
/// 0, -1, 2x, an empty text, more than 64 bits.
std::int64_t parse_positive(std::string_view text, std::string_view what, std::int64_t most = INT64_MAX);

/// `text` as such numbers with commas between ("1,2"): at least one.
std::vector<std::int64_t> parse_positive_list(std::string_view text, std::string_view what,
                                              std::int64_t most = INT64_MAX);

/// `text` cut at each `separator`; "a,,b" has an empty middle part, and an empty text is one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace attention::program
