#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "experiments/words.hpp"
#include "program/table.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

constexpr Index small_heads = 4;
constexpr Index small_dim = 32;
constexpr Index window = 32;

/// Largest |a_i − b_place(i)| over the rows from `first` on, as a share of the largest |a|.
template <class Place>
double difference(Output& a, Output& b, Index first, Place place) {
  double largest = 0;
  double unit = 0;
  for (Index i = first; i < a.queries(); ++i)
    for (Index c = 0; c < small_heads * small_dim; ++c) {
      const auto x = static_cast<double>(a.output_of(0, 0, i)[c]);
      largest = std::max(largest, std::abs(x - static_cast<double>(b.output_of(0, 0, place(i))[c])));
      unit = std::max(unit, std::abs(x));
    }
  return largest / unit;
}

}  // namespace

void symmetries(const Context& c) {
  const std::vector<std::string> text = running_text(c.data, 512, 41);
  const auto n = static_cast<Index>(text.size());
  // Odd, so that it shares no factor with a power of two; 512 words, all permuted.
  const auto place = [n](Index i) { return (i * 189 + 7) % n; };
  std::vector<std::string> permuted(text.size());
  for (Index i = 0; i < n; ++i) permuted[static_cast<std::size_t>(place(i))] = text[static_cast<std::size_t>(i)];
  constexpr Index shift = 1000;
  std::vector<std::string> later = running_text(c.data, shift, 43);
  later.resize(shift, "filler");
  later.insert(later.end(), text.begin(), text.end());

  program::Table table({{"positions"}, {"tokens permuted"}, {"tokens moved by 1000"}});
  Json rows = Json::array();
  for (const Positions positions : all_positions) {
    Output a;
    Output b;
    fused(word_problem(text, small_heads, small_dim, 1, Mask::full(), positions), a);
    fused(word_problem(permuted, small_heads, small_dim, 1, Mask::full(), positions), b);
    const double by_permutation = difference(a, b, 0, place);
    // A window that holds the same tokens in both places.
    fused(word_problem(text, small_heads, small_dim, 1, Mask::sliding_window(window), positions), a);
    fused(word_problem(later, small_heads, small_dim, 1, Mask::sliding_window(window), positions), b);
    const double by_shift = difference(a, b, window - 1, [](Index i) { return i + shift; });
    rows.push_back({{"positions", positions_name(positions)}, {"permuted", by_permutation}, {"moved", by_shift}});
    table.add({positions_name(positions), fmt::format("{:.1e}", by_permutation), fmt::format("{:.1e}", by_shift)});
    if (positions == Positions::none)
      c.figure("permuted_without_positions", by_permutation, "1",
               "largest change of an output when the words are permuted and no positions are told, relative to the largest output");
    if (positions == Positions::rotary)
      c.figure("moved_rotary", by_shift, "1", "the same when the words stand 1000 positions later, with rotary positions");
  }
  std::cout << fmt::format("Symmetries: how far outputs move, relative to the largest{}\n{}\n",
                           c.data.real ? "" : " (generated stand-in data)", table.text());
  c.results.write("symmetries", {{"n", n}, {"rows", rows}});
}

}  // namespace attention::self_attention
