#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace attention::program {

/// A table of text, built row by row and then printed: for the terminal, or as Markdown for the lessons.
class Table {
 public:
  enum class Align { automatic, left, right };
  struct Column {
    /// automatic: right where every filled cell begins like a number ("1.25 ms", "-3", "±2 %"), else left.
    Column(std::string its_head, Align its_align = Align::automatic)
        : head(std::move(its_head)), align(its_align) {}
    Column(const char* its_head) : head(its_head) {}

    std::string head;
    Align align = Align::automatic;
  };

  /// Table({"rung", "time"}), or Table({{"rung", Table::Align::right}, "time"}).
  explicit Table(std::vector<Column> columns);
  // A template, so that a list in braces is always one of Columns.
  template <std::same_as<std::vector<std::string>> Heads>
  explicit Table(const Heads& heads) : Table(std::vector<Column>(heads.begin(), heads.end())) {}

  /// Adds a row. Throws std::invalid_argument where it has not one cell a column.
  void add(std::vector<std::string> cells);

  std::size_t rows() const { return cells_.size(); }

  /// Heads, a rule, the rows: columns two spaces apart, `indent` spaces before each line, no spaces at a
  /// line's end.
  std::string text(std::size_t indent = 0) const;

  /// A Markdown table with the same alignment; `|` in a cell is escaped.
  std::string markdown() const;

 private:
  std::vector<Align> alignments() const;
  std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> cells_;
};

}  // namespace attention::program
