// Words and maps by weight, as they stand on a terminal.
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "program/words_by_weight.hpp"
#include "record/maps_on_terminal.hpp"

using namespace attention;
using program::words_by_weight;

TEST_CASE("words stand on grounds by weight, or with their per cent where there is no colour", "[program]") {
  const std::vector<std::string> words{"a", "large", "feline"};
  const std::vector<float> weights{0, 0.35F, 0.65F};
  CHECK(words_by_weight(words, weights, false) == "a large(35%) feline(65%)");
  const std::string coloured = words_by_weight(words, weights, true);
  CHECK(coloured.find("\x1b[48;5;232;38;5;255ma\x1b[0m") == 0);  // weight 0: black ground, white letters
  CHECK(coloured.find("\x1b[48;5;255;38;5;232mfeline\x1b[0m") !=
        std::string::npos);  // the largest: the other way round
  CHECK(words_by_weight({}, {}, true).empty());
  CHECK(words_by_weight(std::vector<std::string>{"\x1b[2J"}, std::vector<float>{1}, false) == "\\x1b[2J");
  CHECK_THROWS_AS(words_by_weight(words, std::vector<float>{1}, false), std::invalid_argument);
}

TEST_CASE("maps of heads stand side by side, a line a query", "[program][record]") {
  // The tests' output is no terminal: plain text, of 80 columns.
  auto weights = tensor::empty<4>({1, 2, 2, 3});
  const std::vector<float> values{1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0};
  std::copy(values.begin(), values.end(), weights.data());
  std::ostringstream out;
  record::print_maps({"one", "two"}, weights, out);
  CHECK(out.str() == "     1.1  1.2\none  @     @\ntwo    @  @\n\n");
  CHECK_THROWS_AS(record::print_maps({"one"}, weights, out), std::invalid_argument);
}
