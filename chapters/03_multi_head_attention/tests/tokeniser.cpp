// The tokeniser against every way to cut a text, and what it makes of unusual text.
#include "tokeniser.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "catch.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

using namespace attention;
using multi_head::Tokeniser;

namespace {

using Pieces = std::vector<std::pair<std::string, double>>;

/// Pieces 0 and 1 stand for no text; then the given ones.
Pieces with_reserved(const Pieces& pieces) {
  Pieces all{{"?", 0}, {"<s>", 0}};
  all.insert(all.end(), pieces.begin(), pieces.end());
  return all;
}

/// The largest sum of scores over all ways to cut `text`.
double best_score(const Pieces& pieces, std::string_view text) {
  if (text.empty()) return 0;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t number = 2; number < pieces.size(); ++number)
    if (text.starts_with(pieces[number].first))
      best = std::max(best, pieces[number].second + best_score(pieces, text.substr(pieces[number].first.size())));
  return best;
}

}  // namespace

TEST_CASE("the tokeniser finds the best of all ways to cut a text", "[tokeniser]") {
  numerics::Random random(9);
  Pieces pieces = with_reserved({{"▁", -2}, {"a", -3}, {"b", -3.5}, {"c", -4}});
  for (const char* piece : {"ab", "bc", "abc", "ca", "▁a", "▁ab", "aab", "cc", "bca"})
    pieces.emplace_back(piece, -3 - 4 * static_cast<double>(random.uniform()));
  const Tokeniser tokeniser(pieces, 2);
  for (int turn = 0; turn < 300; ++turn) {
    std::string text;
    for (std::size_t n = 1 + random.bits() % 11; n > 0; --n) text += "abc "[random.bits() % 4];
    std::string prepared = "▁";
    for (const char c : text) prepared += c == ' ' ? std::string("▁") : std::string(1, c);
    std::string joined;
    double score = 0;
    for (const std::size_t number : tokeniser.encode(text)) {
      joined += tokeniser.piece(number);
      score += pieces[number].second;
    }
    INFO("'" << text << "'");
    CHECK(joined == prepared);
    CHECK(score == Approx(best_score(pieces, prepared)));
  }
}

TEST_CASE("the tokeniser takes any text", "[tokeniser]") {
  const Tokeniser tokeniser(with_reserved({{"▁", -1}, {"fi", -2}, {"f", -3}, {"i", -3}, {"é", -2}, {"日", -4}}), 2);
  using Numbers = std::vector<std::size_t>;
  CHECK(tokeniser.encode("").empty());
  CHECK(tokeniser.encode("fi") == Numbers{2, 3});
  CHECK(tokeniser.encode("ﬁ") == Numbers{2, 3});         // compatibility: the ligature is two letters
  CHECK(tokeniser.encode("ｆ") == Numbers{2, 4});        // and the wide letter a letter
  CHECK(tokeniser.encode("e\u0301") == Numbers{2, 6});  // composition: a letter and its accent are one character
  CHECK(tokeniser.encode(" i") == Numbers{2, 2, 5});
  CHECK(tokeniser.encode("\ti\n") == Numbers{2, 0, 5, 0});
  CHECK(tokeniser.encode("xyz🙂i") == Numbers{2, 0, 5});  // unknown ones in a row are one
  CHECK(tokeniser.encode(std::string_view("i\0i", 3)) == Numbers{2, 5, 0, 5});
  CHECK(tokeniser.encode("<s>") == Numbers{2, 0});  // what stands for no text is never found in one
  CHECK(tokeniser.encode(std::string(100'000, 'i')).size() == 100'001);
  CHECK_THROWS_AS(tokeniser.encode("\xff"), program::UserError);
  CHECK_THROWS_AS(tokeniser.encode("\xe2\x96"), program::UserError);
}
