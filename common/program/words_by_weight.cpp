#include "program/words_by_weight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "program/text.hpp"

namespace attention::program {

std::string words_by_weight(std::span<const std::string> words, std::span<const float> weights, bool colour) {
  if (words.size() != weights.size()) throw std::invalid_argument(fmt::format("{} words, {} weights", words.size(), weights.size()));
  if (words.empty()) return "";
  const float largest = std::ranges::max(weights);
  const float equal = 1.F / static_cast<float>(words.size());
  std::string line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) line += ' ';
    const std::string word = one_line(words[i], 60);
    if (colour) {
      // The terminal's greys are numbers 232 (black) to 255 (white); letters are the end that can be read on them.
      const auto grey = static_cast<int>(std::lround(23 * (largest > 0 ? weights[i] / largest : 0)));
      line += fmt::format("\x1b[48;5;{};38;5;{}m{}\x1b[0m", 232 + grey, grey < 12 ? 255 : 232, word);
    } else {
      line += weights[i] > equal ? fmt::format("{}({:.0f}%)", word, 100 * static_cast<double>(weights[i])) : word;
    }
  }
  return line;
}

}  // namespace attention::program
