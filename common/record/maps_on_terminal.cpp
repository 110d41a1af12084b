#include "record/maps_on_terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "program/heat_map.hpp"
#include "program/terminal.hpp"
#include "program/text.hpp"

namespace attention::record {

void print_maps(const std::vector<std::string>& labels, const tensor::Tensor<4>& weights, std::ostream& out) {
  const std::size_t heads = weights.shape()[1], n = weights.shape()[2], columns = weights.shape()[3];
  if (labels.size() != n) throw std::invalid_argument("a label for each query");
  const bool colour = program::wants_colour(program::Stream::output) && program::speaks_utf8();
  std::size_t label_width = 0;
  for (const std::string& label : labels)
    label_width = std::max(label_width, program::display_width(program::one_line(label)));
  label_width = std::min<std::size_t>(label_width, 16);
  const std::size_t drawn = columns * (colour ? 2 : 1);
  const std::size_t cells = std::max<std::size_t>(drawn, 3);  // "1.1" stands above
  const std::size_t room =
      std::max(program::terminal_width(program::Stream::output), label_width + cells + 1);
  const std::size_t together = std::clamp<std::size_t>((room - label_width) / (cells + 2), 1, heads);
  for (std::size_t layer = 0; layer < weights.shape()[0]; ++layer)
    for (std::size_t first = 0; first < heads; first += together) {
      std::vector<std::string> lines(n + 1);
      lines[0] = std::string(label_width, ' ');
      for (std::size_t i = 0; i < n; ++i) {
        const std::string label = program::fit(program::one_line(labels[i]), label_width);
        lines[i + 1] = std::string(label_width - program::display_width(label), ' ') + label;
      }
      for (std::size_t h = first; h < std::min(first + together, heads); ++h) {
        lines[0].append(fmt::format("  {:<{}}", fmt::format("{}.{}", layer + 1, h + 1), cells));
        // An empty label for each row: a row is a line of its own then.
        const std::string map = program::heat_map(
            {weights.data() + (layer * heads + h) * n * columns, n * columns}, n, columns,
            {.row_labels = std::vector<std::string>(n), .width = drawn + 1, .colour = colour});
        std::size_t begin = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const std::size_t end = map.find('\n', begin);
          lines[i + 1].append(" ").append(map, begin, end - begin).append(cells - drawn, ' ');
          begin = end + 1;
        }
      }
      for (std::string& line : lines) out << line.erase(line.find_last_not_of(' ') + 1) << '\n';
    }
  out << '\n';
}

}  // namespace attention::record
