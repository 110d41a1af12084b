#pragma once

#include <cstddef>

namespace attention::program {

enum class Stream { output, error };

/// Whether standard output or standard error is a terminal.
bool is_terminal(Stream stream);

/// Columns of the terminal: from the terminal itself, else from COLUMNS, else 80.
std::size_t terminal_width(Stream stream);

/// Whether to use colour: on a terminal, unless NO_COLOR is set and not empty or TERM is `dumb`.
bool wants_colour(Stream stream);

/// Whether the locale's characters are UTF-8 (LC_ALL, LC_CTYPE, LANG), so that block characters can be shown.
bool speaks_utf8();

}  // namespace attention::program
