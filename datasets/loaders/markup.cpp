#include "loaders/markup.hpp"

#include <algorithm>
#include <array>

namespace attention::datasets {

std::optional<std::string_view> Markup::attribute(std::string_view key) const {
  std::string_view rest = attributes;
  while (true) {
    const std::size_t begin = rest.find_first_not_of(" \t\r\n");
    const std::size_t equals = rest.find("=\"");
    if (begin == rest.npos || equals == rest.npos || equals < begin) return std::nullopt;
    const std::size_t close = rest.find('"', equals + 2);
    if (close == rest.npos) return std::nullopt;
    if (rest.substr(begin, equals - begin) == key) return rest.substr(equals + 2, close - equals - 2);
    rest.remove_prefix(close + 1);
  }
}

std::optional<Markup> next_markup(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  Markup piece;
  const std::size_t close = rest.front() == '<' ? rest.find('>') : rest.npos;
  if (close == rest.npos) {
    piece.text = rest.substr(0, rest.find('<', 1));
    rest.remove_prefix(piece.text.size());
    return piece;
  }
  std::string_view inside = rest.substr(1, close - 1);
  rest.remove_prefix(close + 1);
  piece.is_end = inside.starts_with('/');
  if (piece.is_end) inside.remove_prefix(1);
  piece.is_whole = inside.ends_with('/');
  if (piece.is_whole) inside.remove_suffix(1);
  const std::size_t space = std::min(inside.find_first_of(" \t\r\n"), inside.size());
  piece.name = inside.substr(0, space);
  piece.attributes = inside.substr(space);
  if (piece.name.empty()) piece.name = "?";  // "<>" is a tag without a name and no text
  return piece;
}

std::string without_entities(std::string_view text) {
  struct Entity {
    std::string_view name;
    char letter;
  };
  constexpr std::array<Entity, 5> entities{{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string plain;
  while (!text.empty()) {
    const auto found = std::ranges::find_if(entities, [&](const Entity& e) { return text.starts_with(e.name); });
    plain += found == entities.end() ? text.front() : found->letter;
    text.remove_prefix(found == entities.end() ? 1 : found->name.size());
  }
  return plain;
}

}  // namespace attention::datasets
