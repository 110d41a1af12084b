#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace attention::program {

/// `text` fit for one line of a message: control characters and bytes that are not UTF-8 become `\xNN`, and
/// what is longer than `limit` characters is cut with `…`. For file names and other words of the user.
std::string one_line(std::string_view text, std::size_t limit = 300);

/// Columns that the UTF-8 `text` takes on a terminal: 0 for combining marks, 2 for East Asian wide characters
/// and emoji, 1 for others; a byte that is not UTF-8 counts 1.
std::size_t display_width(std::string_view text);

/// The longest beginning of `text` that fits in `width` columns; what was cut off shows as `…`.
std::string fit(std::string_view text, std::size_t width);

}  // namespace attention::program
