#include <cmath>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "text/bleu.hpp"
#include "text/chrf.hpp"
#include "text/edit_distance.hpp"

namespace {

using namespace attention::text;

Words split(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::size_t distance(const std::string& a, const std::string& b) { return edit_distance(std::span<const char>(a), std::span<const char>(b)); }

bool close(double a, double b) { return std::abs(a - b) < 1e-12 * (1 + std::abs(b)); }

TEST_CASE("edit distance: known pairs, symmetry, the empty sequence", "[unit]") {
  CHECK(distance("kitten", "sitting") == 3);
  CHECK(distance("saturday", "sunday") == 3);
  CHECK(distance("", "") == 0);
  CHECK(distance("abc", "") == 3);
  CHECK(distance("", "abc") == 3);
  CHECK(distance("abc", "abc") == 0);
  CHECK(distance("ab", "ba") == 2);  // a swap is no step of its own
  CHECK(distance("sitting", "kitten") == 3);
}

TEST_CASE("errors of sequences are counted from the nearest right answer", "[unit]") {
  SequenceErrors errors;
  const std::vector<std::vector<std::string>> either{split("IY DH ER"), split("AY DH ER")};
  errors.add(split("AY DH ER"), either);  // right by the second
  CHECK(errors.wrong == 0);
  errors.add(split("AY D ER"), either);  // one edit from the second, two from the first
  errors.add(split("K AE T S S"), {split("K AE T")});
  CHECK(errors.answers == 3);
  CHECK(errors.wrong == 2);
  CHECK(errors.edits == 3);
  CHECK(errors.symbols == 9);
  CHECK(close(errors.answer_error_rate(), 2.0 / 3));
  CHECK(close(errors.symbol_error_rate(), 3.0 / 9));
  // Of equally near ones the first: its length goes into the rate.
  SequenceErrors tie;
  tie.add(split("A"), {split("A B"), split("C")});
  CHECK(tie.symbols == 2);
  CHECK(SequenceErrors{}.symbol_error_rate() == 0);
  CHECK_THROWS_AS(errors.add(split("A"), {}), std::invalid_argument);
}

TEST_CASE("BLEU: the worked examples of Papineni and others", "[unit]") {
  // Section 2.1: "the" stands at most twice in a reference.
  const Bleu the = corpus_bleu({split("the the the the the the the")}, {{split("the cat is on the mat"), split("there is a cat on the mat")}});
  CHECK(close(the.precision[0], 2.0 / 7));
  CHECK(the.precision[1] == 0);
  CHECK(the.score == 0);  // nothing is smoothed
  // Section 2.1.1: 17 of 18 words and 10 of 17 pairs.
  const std::vector<Words> references{
      split("It is a guide to action that ensures that the military will forever heed Party commands"),
      split("It is the guiding principle which guarantees the military forces always being under the command of the Party"),
      split("It is the practical guide for the army always to heed the directions of the party")};
  const Bleu guide = corpus_bleu({split("It is a guide to action which ensures that the military always obeys the commands of the party")}, {references});
  CHECK(close(guide.precision[0], 17.0 / 18));
  CHECK(close(guide.precision[1], 10.0 / 17));
  CHECK(guide.reference_words == 18);
  CHECK(close(guide.brevity_penalty, 1));
  const Bleu insure = corpus_bleu({split("It is to insure the troops forever hearing the activity guidebook that party direct")}, {references});
  CHECK(close(insure.precision[0], 8.0 / 14));
  CHECK(close(insure.precision[1], 1.0 / 13));
}

TEST_CASE("BLEU: by hand over a corpus of two, with the penalty for brevity", "[unit]") {
  // Words 5 + 4 = 9 of 9 right but for "x": 8 of 9. Pairs: 4 + 1 of 3 ("a b", none with x but "y z"): "a b c d e" has 4, all right;
  // "a x y z" has 3, of which "y z" is right. Threes: 3 of 3, 0 of 2. Fours: 2 of 2, 0 of 1. Lengths 9 to 6 + 4 = 10.
  const Bleu bleu = corpus_bleu({split("a b c d e"), split("a x y z")}, {{split("a b c d e f")}, {split("a w y z")}});
  CHECK(close(bleu.precision[0], 8.0 / 9));
  CHECK(close(bleu.precision[1], 5.0 / 7));
  CHECK(close(bleu.precision[2], 3.0 / 5));
  CHECK(close(bleu.precision[3], 2.0 / 3));
  CHECK(close(bleu.brevity_penalty, std::exp(1 - 10.0 / 9)));
  CHECK(close(bleu.score, 100 * std::exp(1 - 10.0 / 9) * std::pow(8.0 / 9 * 5 / 7 * 3 / 5 * 2 / 3, 0.25)));
  CHECK(close(corpus_bleu({split("a b c d")}, {{split("a b c d")}}).score, 100));
  // Two references equally near: the shorter counts, and nothing is taken off.
  const Bleu near = corpus_bleu({split("a b c d")}, {{split("a b c d e"), split("a b c")}});
  CHECK(near.reference_words == 3);
  CHECK(close(near.brevity_penalty, 1));
  CHECK(corpus_bleu({}, {}).score == 0);
  CHECK(corpus_bleu({{}}, {{split("a")}}).score == 0);
  CHECK_THROWS_AS(corpus_bleu({split("a")}, {}), std::invalid_argument);
  CHECK_THROWS_AS(corpus_bleu({split("a")}, {{}}), std::invalid_argument);
}

TEST_CASE("chrF: by hand", "[unit]") {
  CHECK(close(corpus_chrf({"the same line"}, {"the same line"}), 100));
  CHECK(corpus_chrf({"abc"}, {"xyz"}) == 0);
  CHECK(corpus_chrf({""}, {"xyz"}) == 0);
  // "abcd" to "abce": right 3 of 4, 2 of 3, 1 of 2, 0 of 1; no run of five or six. P = R = F.
  CHECK(close(corpus_chrf({"abcd"}, {"abce"}), 100 * (3.0 / 4 + 2.0 / 3 + 1.0 / 2 + 0) / 4));
  // "ab" to "abc": P = (1 + 1) / 2, R = (2/3 + 1/2) / 2 over the lengths that both have; F2 = 5PR / (4P + R).
  const double recall = (2.0 / 3 + 1.0 / 2) / 2;
  CHECK(close(corpus_chrf({"ab"}, {"abc"}), 100 * 5 * recall / (4 + recall)));
  // Recall counts more: a candidate too long does better than one too short.
  CHECK(corpus_chrf({"abc"}, {"ab"}) > corpus_chrf({"ab"}, {"abc"}));
  // Spaces do not count, and a letter with an accent is one character.
  CHECK(close(corpus_chrf({"a b c"}, {"abc"}), 100));
  CHECK(close(corpus_chrf({"\u00e1b"}, {"\u00e9b"}), 100 * (1.0 / 2 + 0) / 2));
  // Counts are summed over the corpus: 1 of 2 characters and no pair, as no pair of any length stands on one side.
  CHECK(close(corpus_chrf({"a", "b"}, {"a", "c"}), 50));
  CHECK_THROWS_AS(corpus_chrf({"a"}, {}), std::invalid_argument);
}

}  // namespace
