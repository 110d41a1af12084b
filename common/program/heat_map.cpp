#include "program/heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "program/terminal.hpp"
#include "program/text.hpp"

namespace attention::program {
namespace {

struct Map {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;
  float at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

// The mean over blocks: new rows × new columns, each block as equal as whole numbers allow.
Map shrink(std::span<const float> matrix, std::size_t rows, std::size_t columns, std::size_t new_rows,
           std::size_t new_columns) {
  Map map{new_rows, new_columns, std::vector<float>(new_rows * new_columns)};
  for (std::size_t r = 0; r < new_rows; ++r) {
    for (std::size_t c = 0; c < new_columns; ++c) {
      const std::size_t top = r * rows / new_rows, bottom = (r + 1) * rows / new_rows;
      const std::size_t left = c * columns / new_columns, right = (c + 1) * columns / new_columns;
      double sum = 0;
      for (std::size_t i = top; i < bottom; ++i) {
        for (std::size_t j = left; j < right; ++j) sum += static_cast<double>(matrix[i * columns + j]);
      }
      map.values[r * new_columns + c] =
          static_cast<float>(sum / static_cast<double>((bottom - top) * (right - left)));
    }
  }
  return map;
}

std::pair<float, float> finite_range(const Map& map) {
  float low = std::numeric_limits<float>::max(), high = std::numeric_limits<float>::lowest();
  for (float value : map.values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  return {low, high};
}

// Which of `steps` shades a finite value has.
int shade(float value, std::pair<float, float> range, int steps) {
  const double low = static_cast<double>(range.first), span = static_cast<double>(range.second) - low;
  if (!(span > 0)) return steps / 2;
  const double share = std::clamp((static_cast<double>(value) - low) / span, 0.0, 1.0);
  return std::min(steps - 1, static_cast<int>(share * steps));
}

// The 256-colour palette's grey ramp: 232 (dark) to 255 (bright).
int grey(float value, std::pair<float, float> range) { return 232 + shade(value, range, 24); }

std::string plain_cell(float value, std::pair<float, float> range) {
  constexpr std::string_view ramp = " .:-=+*#%@";
  return std::string(1, std::isfinite(value) ? ramp[static_cast<std::size_t>(shade(value, range, 10))] : '?');
}

std::string full_cell(float value, std::pair<float, float> range) {
  return std::isfinite(value) ? fmt::format("\033[38;5;{}m██", grey(value, range)) : "\033[0m??";
}

// Two rows in one line: the upper half block in front, the lower row behind it.
std::string half_cell(float upper, float lower, std::pair<float, float> range) {
  if (!std::isfinite(upper) || !std::isfinite(lower)) return "\033[0m?";
  return fmt::format("\033[38;5;{};48;5;{}m▀", grey(upper, range), grey(lower, range));
}

}  // namespace

std::string heat_map(std::span<const float> matrix, std::size_t rows, std::size_t columns,
                     const HeatMapOptions& options) {
  if (columns != 0 && rows > matrix.size() / columns)
    throw std::invalid_argument("heat_map: matrix too small");
  if (rows * columns != matrix.size())
    throw std::invalid_argument("heat_map: matrix.size() != rows * columns");
  const bool row_labels = !options.row_labels.empty(), column_labels = !options.column_labels.empty();
  if ((row_labels && options.row_labels.size() != rows) ||
      (column_labels && options.column_labels.size() != columns)) {
    throw std::invalid_argument("heat_map: one label for each row and column");
  }
  if (matrix.empty()) return {};

  std::size_t label_width = 0;
  for (const std::string& label : options.row_labels)
    label_width = std::max(label_width, display_width(one_line(label)));
  label_width = std::min(label_width, options.width / 3);
  const std::size_t margin = row_labels ? label_width + 1 : 0;

  // A character cell is about twice as high as wide: half blocks show two rows a line, labelled rows two
  // columns a cell.
  const bool halves = options.colour && !row_labels;
  const std::size_t cell_width = options.colour && row_labels ? 2 : 1;
  const std::size_t room =
      std::max<std::size_t>(1, (std::max(options.width, margin + 1) - margin) / cell_width);
  const std::size_t new_columns = std::min(columns, room);
  // Labelled rows keep their lines; others shrink by the same factor as the columns (plain text: half of it
  // again).
  const std::size_t shrunk = std::max<std::size_t>(1, rows * new_columns / columns);
  const std::size_t new_rows = row_labels ? rows
                               : options.colour
                                   ? shrunk
                                   : std::max<std::size_t>(1, std::min(shrunk, (shrunk + 1) / 2));
  const Map map = shrink(matrix, rows, columns, new_rows, new_columns);
  const std::pair<float, float> range = options.range.value_or(finite_range(map));

  std::string text;
  for (std::size_t row = 0; row < map.rows; row += halves ? 2 : 1) {
    if (row_labels) {
      const std::string label = fit(one_line(options.row_labels[row]), label_width);
      text += std::string(label_width - display_width(label), ' ') + label + " ";
    }
    for (std::size_t column = 0; column < map.columns; ++column) {
      const float value = map.at(row, column);
      if (!options.colour) {
        text += plain_cell(value, range);
      } else if (!halves) {
        text += full_cell(value, range);
      } else if (row + 1 < map.rows) {
        text += half_cell(value, map.at(row + 1, column), range);
      } else {
        text += std::isfinite(value) ? fmt::format("\033[0;38;5;{}m▀", grey(value, range)) : "\033[0m?";
      }
    }
    text += options.colour ? "\033[0m\n" : "\n";
  }
  if (column_labels && new_columns == columns) {
    // Labels would not fit above cells one or two columns wide: the last digit of each column's number stands
    // there.
    text += std::string(margin, ' ');
    for (std::size_t column = 0; column < columns; ++column) {
      text += fmt::format("{}{}", (column + 1) % 10, cell_width == 2 ? " " : "");
    }
    text += "\n";
    for (std::size_t column = 0; column < columns; ++column) {
      text +=
          fit(fmt::format("{:>4} {}", column + 1, one_line(options.column_labels[column])), options.width) +
          "\n";
    }
  }
  return text;
}

std::string heat_map_for_terminal(std::span<const float> matrix, std::size_t rows, std::size_t columns,
                                  HeatMapOptions options) {
  options.width = terminal_width(Stream::output);
  options.colour = wants_colour(Stream::output) && speaks_utf8();
  return heat_map(matrix, rows, columns, options);
}

}  // namespace attention::program
