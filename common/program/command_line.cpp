#include "program/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>
#include <string>
#include <type_traits>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::program {

void add(CLI::App& app, const std::vector<Option>& options) {
  for (const Option& option : options)
    std::visit(
        [&](auto* value) {
          using Value = std::remove_pointer_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, bool>) {
            app.add_flag(option.name, *value, option.meaning);
          } else {
            CLI::Option* const added = app.add_option(option.name, *value, option.meaning);
            added->required(!option.name.starts_with("--"));
            if constexpr (std::is_same_v<Value, std::vector<std::string>>) added->allow_extra_args(false);
            if constexpr (std::is_same_v<Value, std::string>)
              if (!value->empty()) added->capture_default_str();
          }
        },
        option.value);
}

std::optional<int> parse(const std::string& summary, const std::string& name, const std::vector<Option>& options, int argc, char** argv) {
  CLI::App app(summary, name);
  add(app, options);
  return parse(app, argc, argv);
}

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    // CLI11 throws for --help and --version too, with status 0.
    if (error.get_exit_code() == 0) return app.exit(error);
    throw UserError(fmt::format("{}; see --help", one_line(error.what(), 1000)));
  }
}

std::int64_t parse_positive(std::string_view text, std::string_view what, std::int64_t most) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool is_number = stop == end && !text.empty() && error != std::errc::invalid_argument;
  if (is_number && text.front() != '-' && (error == std::errc::result_out_of_range || value > most)) {
    throw UserError(fmt::format("{} is too large: '{}'; at most {}", what, one_line(text, 60), most));
  }
  if (!is_number || value < 1) {
    throw UserError(
        fmt::format("{} must be a whole number of at least 1, not '{}'", what, one_line(text, 60)));
  }
  return value;
}

std::vector<std::int64_t> parse_positive_list(std::string_view text, std::string_view what,
                                              std::int64_t most) {
  std::vector<std::int64_t> values;
  for (std::string_view part : split(text, ',')) {
    try {
      values.push_back(parse_positive(part, what, most));
    } catch (const UserError& error) {
      if (part.size() == text.size()) throw;
      throw UserError(fmt::format("{} (in the list '{}')", error.what(), one_line(text, 60)));
    }
  }
  return values;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace attention::program
