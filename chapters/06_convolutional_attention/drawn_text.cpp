#include "drawn_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::convolutional {

namespace {

constexpr std::size_t rows = 7;
constexpr std::size_t columns = 5;
constexpr std::size_t dot = 6;  ///< pixels of a side

struct Letter {
  char name;
  std::array<std::string_view, rows> dots;
};

constexpr std::array<Letter, 36> letters{{
    {'A', {".###.", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"}},
    {'B', {"####.", "#...#", "#...#", "####.", "#...#", "#...#", "####."}},
    {'C', {".###.", "#...#", "#....", "#....", "#....", "#...#", ".###."}},
    {'D', {"###..", "#..#.", "#...#", "#...#", "#...#", "#..#.", "###.."}},
    {'E', {"#####", "#....", "#....", "####.", "#....", "#....", "#####"}},
    {'F', {"#####", "#....", "#....", "####.", "#....", "#....", "#...."}},
    {'G', {".###.", "#...#", "#....", "#.###", "#...#", "#...#", ".###."}},
    {'H', {"#...#", "#...#", "#...#", "#####", "#...#", "#...#", "#...#"}},
    {'I', {".###.", "..#..", "..#..", "..#..", "..#..", "..#..", ".###."}},
    {'J', {"...##", "....#", "....#", "....#", "....#", "#...#", ".###."}},
    {'K', {"#...#", "#..#.", "#.#..", "##...", "#.#..", "#..#.", "#...#"}},
    {'L', {"#....", "#....", "#....", "#....", "#....", "#....", "#####"}},
    {'M', {"#...#", "##.##", "#.#.#", "#.#.#", "#...#", "#...#", "#...#"}},
    {'N', {"#...#", "##..#", "##..#", "#.#.#", "#..##", "#..##", "#...#"}},
    {'O', {".###.", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."}},
    {'P', {"####.", "#...#", "#...#", "####.", "#....", "#....", "#...."}},
    {'Q', {".###.", "#...#", "#...#", "#...#", "#.#.#", "#..#.", ".##.#"}},
    {'R', {"####.", "#...#", "#...#", "####.", "#.#..", "#..#.", "#...#"}},
    {'S', {".####", "#....", "#....", ".###.", "....#", "....#", "####."}},
    {'T', {"#####", "..#..", "..#..", "..#..", "..#..", "..#..", "..#.."}},
    {'U', {"#...#", "#...#", "#...#", "#...#", "#...#", "#...#", ".###."}},
    {'V', {"#...#", "#...#", "#...#", "#...#", "#...#", ".#.#.", "..#.."}},
    {'W', {"#...#", "#...#", "#...#", "#.#.#", "#.#.#", "##.##", "#...#"}},
    {'X', {"#...#", "#...#", ".#.#.", "..#..", ".#.#.", "#...#", "#...#"}},
    {'Y', {"#...#", "#...#", ".#.#.", "..#..", "..#..", "..#..", "..#.."}},
    {'Z', {"#####", "....#", "...#.", "..#..", ".#...", "#....", "#####"}},
    {'0', {".###.", "#...#", "#..##", "#.#.#", "##..#", "#...#", ".###."}},
    {'1', {"..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."}},
    {'2', {".###.", "#...#", "....#", "..##.", ".#...", "#....", "#####"}},
    {'3', {"####.", "....#", "....#", ".###.", "....#", "....#", "####."}},
    {'4', {"...#.", "..##.", ".#.#.", "#..#.", "#####", "...#.", "...#."}},
    {'5', {"#####", "#....", "####.", "....#", "....#", "#...#", ".###."}},
    {'6', {".###.", "#....", "#....", "####.", "#...#", "#...#", ".###."}},
    {'7', {"#####", "....#", "...#.", "..#..", "..#..", "..#..", "..#.."}},
    {'8', {".###.", "#...#", "#...#", ".###.", "#...#", "#...#", ".###."}},
    {'9', {".###.", "#...#", "#...#", ".####", "....#", "....#", ".###."}},
}};

}  // namespace

tensor::Tensor<2> draw_text(std::string_view text, TextStyle style) {
  constexpr std::size_t longest = 64;
  if (text.empty() || text.size() > longest) throw program::UserError(fmt::format("a text of {} letters cannot be drawn, of 1 to {} it can", text.size(), longest));
  tensor::Tensor<2> picture = tensor::empty<2>({(rows + 2) * dot, (text.size() * (columns + 1) + 1) * dot});
  const float ink = style.light_on_dark ? 1 : 0;
  picture.fill(1 - ink);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    const auto* letter = std::ranges::find(letters, text[i], &Letter::name);
    if (letter == letters.end())
      throw program::UserError(fmt::format("the letter '{}' is not drawn; capitals, digits and blanks are", program::one_line(text.substr(i, 1))));
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t column = 0; column < columns; ++column) {
        if (letter->dots[row][column] != '#') continue;
        const std::size_t left = (i * (columns + 1) + column + 1) * dot;
        const std::size_t right = std::min(left + (style.bold ? dot + dot / 2 : dot), picture.shape()[1]);
        for (std::size_t y = (row + 1) * dot; y < (row + 2) * dot; ++y)
          for (std::size_t x = left; x < right; ++x) picture(y, x) = ink;
      }
  }
  return picture;
}

tensor::Tensor<2> turned(const tensor::Tensor<2>& picture) {
  tensor::Tensor<2> other = tensor::empty<2>({picture.shape()[0], picture.shape()[1]});
  std::reverse_copy(picture.data(), picture.data() + picture.size(), other.data());
  return other;
}

}  // namespace attention::convolutional
