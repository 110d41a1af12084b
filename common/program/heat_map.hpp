#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace attention::program {

struct HeatMapOptions {
  /// One label a row, a column; none, or as many as there are rows, columns. With row labels each row has a
  /// line of its own; column labels are numbered below the map.
  std::vector<std::string> row_labels = {};
  std::vector<std::string> column_labels = {};
  /// The values shown darkest and brightest; without them the smallest and the largest finite value.
  std::optional<std::pair<float, float>> range = std::nullopt;
  /// Columns of the terminal that the map may take. A larger matrix is averaged over equal blocks until it
  /// fits.
  std::size_t width = 80;
  /// Block characters in 24 greys, or the characters ` .:-=+*#%@`.
  bool colour = false;
};

/// Draws the row-major `matrix` of `rows` × `columns` as lines of text, bright for large. NaN and infinity
/// show as `?`. Throws std::invalid_argument where the sizes do not agree.
std::string heat_map(std::span<const float> matrix, std::size_t rows, std::size_t columns,
                     const HeatMapOptions& options = {});

/// The same with the width and the colour of standard output.
std::string heat_map_for_terminal(std::span<const float> matrix, std::size_t rows, std::size_t columns,
                                  HeatMapOptions options = {});

}  // namespace attention::program
