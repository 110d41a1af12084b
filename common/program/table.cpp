#include "program/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "program/text.hpp"

namespace attention::program {
namespace {

bool begins_like_a_number(std::string_view cell) {
  for (std::string_view sign : {"+", "-", "−", "±", "×", "<", ">", "≤", "≥", "~", "≈"}) {
    if (cell.starts_with(sign)) {
      cell.remove_prefix(sign.size());
      break;
    }
  }
  while (cell.starts_with(' ')) cell.remove_prefix(1);
  if (cell.starts_with('.')) cell.remove_prefix(1);
  return (!cell.empty() && cell.front() >= '0' && cell.front() <= '9') || cell == "inf" || cell == "nan";
}

// Marks for "no value" stand among numbers without turning the column into words.
bool is_blank(std::string_view cell) { return cell.empty() || cell == "-" || cell == "–" || cell == "—"; }

std::string padded(const std::string& cell, std::size_t width, bool right) {
  const std::string fill(width - display_width(cell), ' ');
  return right ? fill + cell : cell + fill;
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (Column& column : columns_) column.head = one_line(column.head);
}

void Table::add(std::vector<std::string> cells) {
  if (cells.size() != columns_.size()) {
    throw std::invalid_argument(
        fmt::format("Table::add: {} cells for {} columns", cells.size(), columns_.size()));
  }
  for (std::string& cell : cells) cell = one_line(cell);
  cells_.push_back(std::move(cells));
}

std::vector<Table::Align> Table::alignments() const {
  std::vector<Align> result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    bool numbers = false, words = false;
    for (const auto& row : cells_) {
      if (is_blank(row[c])) continue;
      (begins_like_a_number(row[c]) ? numbers : words) = true;
    }
    const Align found = numbers && !words ? Align::right : Align::left;
    result.push_back(columns_[c].align == Align::automatic ? found : columns_[c].align);
  }
  return result;
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = display_width(columns_[c].head);
    for (const auto& row : cells_) width = std::max(width, display_width(row[c]));
    result.push_back(width);
  }
  return result;
}

std::string Table::text(std::size_t indent) const {
  const std::vector<Align> aligned = alignments();
  const std::vector<std::size_t> width = widths();
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    std::string line(indent, ' ');
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (c > 0) line += "  ";
      line += padded(cell_of(c), width[c], aligned[c] == Align::right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line([&](std::size_t c) { return columns_[c].head; });
  add_line([&](std::size_t c) { return std::string(width[c], '-'); });
  for (const auto& row : cells_) {
    add_line([&](std::size_t c) { return row[c]; });
  }
  return text;
}

std::string Table::markdown() const {
  const std::vector<Align> aligned = alignments();
  std::string text;
  const auto add_line = [&](const auto& cell_of) {
    text += "|";
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      text += " ";
      for (char letter : cell_of(c)) text += letter == '|' ? std::string("\\|") : std::string(1, letter);
      text += " |";
    }
    text += "\n";
  };
  add_line([&](std::size_t c) { return columns_[c].head; });
  add_line([&](std::size_t c) { return std::string(aligned[c] == Align::right ? "--:" : ":--"); });
  for (const auto& row : cells_) {
    add_line([&](std::size_t c) { return row[c]; });
  }
  return text;
}

}  // namespace attention::program
