#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "experiments/words.hpp"
#include "program/heat_map.hpp"
#include "record/attention_record.hpp"

namespace attention::self_attention {

namespace {

constexpr Index heads = 2;
constexpr Index head_dim = 64;

/// The first gloss of handy length in which two different words are much alike: there is something to see.
std::vector<std::string> sentence(const datasets::Glosses& data) {
  std::vector<std::string> best;
  std::size_t most = 0;
  for (std::size_t at = 0; at < std::min<std::size_t>(data.glosses.size(), 20'000); at += 7) {
    std::vector<std::string> words = words_of(data.glosses[at].text);
    if (words.size() < 14 || words.size() > 18) continue;
    // Pairs of long words that begin alike but are not the same.
    std::set<std::pair<std::string, std::string>> alike;
    for (const std::string& a : words)
      for (const std::string& b : words)
        if (a < b && a.size() >= 5 && b.size() >= 5 && a.substr(0, 5) == b.substr(0, 5)) alike.emplace(a, b);
    if (best.empty() || alike.size() > most) best = words, most = alike.size();
  }
  return best;
}

struct View {
  const char* name;
  const char* title;
  Mask mask;
  Positions positions;
};

}  // namespace

void maps(const Context& c) {
  const std::vector<std::string> words = sentence(c.data);
  const View views[] = {{"map_full", "Every word sees all", Mask::full(), Positions::none},
                        {"map_causal", "A word sees itself and what came before", Mask::causal(), Positions::none},
                        {"map_window", "A word sees itself and the four before it", Mask::sliding_window(5), Positions::none},
                        {"map_biased", "Every word sees all, linear biases", Mask::full(), Positions::linear_biases}};
  for (const View& view : views) {
    // Sharp enough that likeness shows.
    const Problem p = word_problem(words, heads, head_dim, 0.5F, view.mask, view.positions);
    Reference r = reference(p);
    record::AttentionRecord record;
    record.title = fmt::format("{}: the words of one gloss", view.title);
    record.real = c.data.real;
    record.queries = record::tokens(words);
    record.keys = record::tokens(words);
    record.machine = c.results.machine();
    record.weights = tensor::empty<4>({1, heads, words.size(), words.size()});
    record.weights.fill(0);
    for (Index h = 0; h < heads; ++h)
      for (Index i = 0; i < p.n(); ++i) {
        const KeyRange seen = p.keys_of(i);
        for (Index j = seen.first; j < seen.last; ++j)
          record.weights.data()[(h * p.n() + i) * p.n() + j] = static_cast<float>(r.weights_of(0, h, i)[j - seen.first]);
      }
    record::write(record, c.results.folder(), view.name);
    std::cout << fmt::format("{}, first head{}\n", view.title, c.data.real ? "" : " (generated stand-in data)");
    std::cout << program::heat_map_for_terminal({record.weights.data(), words.size() * words.size()}, words.size(), words.size(),
                                                {.row_labels = words})
              << '\n';
  }
}

}  // namespace attention::self_attention
