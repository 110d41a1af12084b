// The sentences of the command line and of standard input, and the most similar of many. What is printed and
// written is tested with the program (tests/program_tests.sh).
#include "sentences.hpp"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "machine/affinity.hpp"
#include "numerics/random.hpp"
#include "unit_files.hpp"

using namespace attention;
using self_attention::Couple;
using self_attention::most_similar;
using self_attention::read_sentences;
using Texts = std::vector<std::string>;

namespace {

Texts read(const Texts& texts, const std::string& input = "") {
  std::istringstream stream(input);
  return read_sentences(texts, stream);
}

std::string refusal(const Texts& texts, const std::string& input = "") {
  return tests::refusal([&] { read(texts, input); });
}

}  // namespace

TEST_CASE("sentences come from options and from lines", "[sentences]") {
  CHECK(read({"a", "", "tab\tand\nline"}) == Texts{"a", "", "tab\tand\nline"});
  CHECK(read({"-"}, "one\ntwo\r\n\n \nlast") == Texts{"one", "two", " ", "last"});
  CHECK(read({"before", "-", "after", "-"}, "one\n") == Texts{"before", "one", "after"});
  CHECK(read({"é 日本 😀"}) == Texts{"é 日本 😀"});
  using tests::says;
  CHECK(says(refusal({"-"}), {"no sentence"}));
  CHECK(says(refusal({"-"}, "\n\r\n"), {"no sentence"}));
  CHECK(says(refusal({"good", "\xff"}), {"sentence 2", "not UTF-8", "\\xff"}));
  CHECK(says(refusal({"-"}, "good\n\xc3\x28 bad\n"), {"sentence 2", "not UTF-8"}));
  std::string many;
  for (std::size_t i = 0; i < self_attention::SentenceLimits::most; ++i) many += "x\n";
  CHECK(read({"-"}, many).size() == self_attention::SentenceLimits::most);
  CHECK(says(refusal({"-", "one more"}, many), {"10001 sentences", "10000"}));
}

TEST_CASE("the most similar of many are found", "[sentences]") {
  numerics::Random random(5);
  std::vector<std::vector<float>> embeddings(70, std::vector<float>(512));
  for (auto& e : embeddings)
    for (float& x : e) x = random.normal();
  embeddings[40] = embeddings[3];
  embeddings[69] = embeddings[3];  // three couples that are equal
  std::vector<Couple> all;
  for (std::size_t i = 0; i < embeddings.size(); ++i)
    for (std::size_t j = i + 1; j < embeddings.size(); ++j) {
      double sum = 0;
      for (std::size_t c = 0; c < 512; ++c)
        sum += static_cast<double>(embeddings[i][c]) * static_cast<double>(embeddings[j][c]);
      all.push_back({i, j, static_cast<float>(sum)});
    }
  std::ranges::stable_sort(all, std::ranges::greater(), &Couple::similarity);
  for (const int threads : {1, 2}) {
    machine::use_threads(threads);
    const std::vector<Couple> best = most_similar(embeddings, 12);
    REQUIRE(best.size() == 12);
    for (std::size_t i = 0; i < best.size(); ++i) {
      INFO("couple " << i << " with " << threads << " threads");
      CHECK(best[i].first == all[i].first);
      CHECK(best[i].second == all[i].second);
      CHECK(best[i].similarity == Approx(all[i].similarity).epsilon(1e-4));
    }
  }
  CHECK(most_similar({embeddings.data(), 2}, 12).size() == 1);
  CHECK(most_similar({embeddings.data(), 1}, 12).empty());
}
