#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "program/heat_map.hpp"
#include "program/table.hpp"
#include "program/text.hpp"

namespace {

using namespace attention::program;

TEST_CASE("a table aligns numbers to the right and words to the left", "[unit]") {
  Table table({"rung", "time", "speed-up"});
  table.add({"formula", "123.4 ms", "×1"});
  table.add({"fused", "4.5 ms", "×27.4"});
  table.add({"größe", "", "-"});
  CHECK(table.text() ==
        "rung         time  speed-up\n"
        "-------  --------  --------\n"
        "formula  123.4 ms        ×1\n"
        "fused      4.5 ms     ×27.4\n"
        "größe                     -\n");
  CHECK(table.text(2).substr(0, 6) == "  rung");
  CHECK(table.markdown() ==
        "| rung | time | speed-up |\n"
        "| :-- | --: | --: |\n"
        "| formula | 123.4 ms | ×1 |\n"
        "| fused | 4.5 ms | ×27.4 |\n"
        "| größe |  | - |\n");
  CHECK_THROWS_AS(table.add({"too", "few"}), std::invalid_argument);
}

TEST_CASE("a column can be told where to align", "[unit]") {
  Table table({{"code", Table::Align::left}, "n"});
  table.add({"7", "12"});
  CHECK(table.text() == "code   n\n----  --\n7     12\n");
}

TEST_CASE("a cell cannot break its line", "[unit]") {
  Table table({"a", "b"});
  table.add({"x\ny", "p|q"});
  CHECK(table.text() == "a       b\n------  ---\nx\\x0ay  p|q\n");
  CHECK(table.markdown().find("p\\|q") != std::string::npos);
}

TEST_CASE("the width of text is counted in columns", "[unit]") {
  CHECK(display_width("") == 0);
  CHECK(display_width("é×–") == 3);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("注意") == 4);
  CHECK(display_width("\xff\xfe") == 2);
  CHECK(fit("attention", 9) == "attention");
  CHECK(fit("attention", 4) == "att…");
  CHECK(fit("注意力", 4) == "注…");
  CHECK(fit("abc", 0).empty());
}

TEST_CASE("a heat map shows the smallest and the largest value at the ramp's ends", "[unit]") {
  const std::vector<float> matrix{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  HeatMapOptions options;
  options.row_labels = {"row"};
  CHECK(heat_map(matrix, 1, 10, options) == "row  .:-=+*#%@\n");
  options.range = {{0.F, 18.F}};
  CHECK(heat_map(matrix, 1, 10, options) == "row   ..::--=+\n");
  options.range.reset();
  options.colour = true;
  const std::string coloured = heat_map(matrix, 1, 10, options);
  CHECK(coloured.find("38;5;232m██") != std::string::npos);
  CHECK(coloured.find("38;5;255m██") != std::string::npos);
  CHECK(coloured.ends_with("\033[0m\n"));
}

TEST_CASE("a heat map of any size fits its width, and odd values do no harm", "[unit]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  CHECK(heat_map(std::vector<float>{0, nan, infinity, 1}, 1, 4) == " ??@\n");
  CHECK(heat_map(std::vector<float>{nan}, 1, 1) == "?\n");
  CHECK(heat_map({}, 0, 0).empty());
  CHECK(heat_map(std::vector<float>{3, 3}, 1, 2) == "++\n");
  for (bool colour : {false, true}) {
    for (std::size_t rows : {1U, 3U, 50U}) {
      for (std::size_t columns : {1U, 79U, 80U, 81U, 300U}) {
        const std::vector<float> matrix(rows * columns, 1.F);
        HeatMapOptions options;
        options.colour = colour;
        const std::string map = heat_map(matrix, rows, columns, options);
        std::size_t cells = 0;
        const std::string first = map.substr(0, map.find('\n'));
        for (std::size_t at = 0; at < first.size(); ++at) {
          if (first.compare(at, 3, "▀") == 0 || (!colour && first[at] == '+')) ++cells;
        }
        CHECK(cells == std::min<std::size_t>(columns, 80));
      }
    }
  }
  CHECK_THROWS_AS(heat_map(std::vector<float>(3), 2, 2), std::invalid_argument);
  CHECK_THROWS_AS(heat_map(std::vector<float>(4), std::size_t{1} << 63, 2), std::invalid_argument);
}

}  // namespace
