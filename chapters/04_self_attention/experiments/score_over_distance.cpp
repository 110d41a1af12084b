#include <fmt/format.h>

#include <cmath>
#include <iostream>

#include "experiments/words.hpp"
#include "program/table.hpp"

namespace attention::self_attention {

namespace {

constexpr Index vector_dim = 64;

/// The score of a word at `query` against another at `key`, in float32 as the rungs have it: one head, projections the identity.
double score(const Tensor<3>& pair, const Tensor<2>& table, Positions positions, Index query, Index key) {
  const auto place = [&](Index which, Index position) {
    std::vector<float> x(pair.data() + which * vector_dim, pair.data() + (which + 1) * vector_dim);
    std::vector<double> code(vector_dim);
    std::vector<float> cosine, sine;
    sinusoidal_encoding(position, vector_dim, code.data());
    for (Index i = 0; i < vector_dim / 2; ++i) {
      cosine.push_back(static_cast<float>(std::cos(rotary_angle(position, i, vector_dim))));
      sine.push_back(static_cast<float>(std::sin(rotary_angle(position, i, vector_dim))));
    }
    if (positions == Positions::sinusoidal)
      for (std::size_t c = 0; c < x.size(); ++c) x[c] += static_cast<float>(code[c]);
    if (positions == Positions::learned)
      for (Index c = 0; c < vector_dim; ++c) x[static_cast<std::size_t>(c)] += table.data()[position * vector_dim + c];
    if (positions == Positions::rotary) rotate(x.data(), vector_dim, cosine.data(), sine.data());
    return x;
  };
  const std::vector<float> q = place(0, query);
  const std::vector<float> k = place(1, key);
  double sum = 0;
  for (std::size_t c = 0; c < q.size(); ++c) sum += static_cast<double>(q[c]) * static_cast<double>(k[c]);
  sum /= std::sqrt(static_cast<double>(vector_dim));
  // One head of eight, the fourth: slope 1/16.
  if (positions == Positions::linear_biases) sum -= static_cast<double>(linear_bias_slopes(8)[3]) * static_cast<double>(query - key);
  return sum;
}

}  // namespace

void score_over_distance(const Context& c) {
  const Tensor<3> pair = word_vectors({"animal", "animals"}, vector_dim);
  program::Table table({{"positions"}, {"distance"}, {"mean score"}, {"least"}, {"most"}});
  Json rows = Json::array();
  double rotary_spread = 0;
  constexpr Index places = 64;
  constexpr Index step = 97;
  constexpr Index farthest = 1024;
  const Tensor<2> table_of_positions = random_table(places * step + farthest, vector_dim);
  for (const Positions positions : all_positions)
    for (Index distance = 1; distance <= farthest; distance *= 2) {
      double sum = 0;
      double least = INFINITY;
      double most = -INFINITY;
      for (Index place = 0; place < places; ++place) {
        const Index key = place * step;
        const double s = score(pair, table_of_positions, positions, key + distance, key);
        sum += s / static_cast<double>(places);
        least = std::min(least, s);
        most = std::max(most, s);
      }
      if (positions == Positions::rotary) rotary_spread = std::max(rotary_spread, most - least);
      rows.push_back({{"positions", positions_name(positions)}, {"distance", distance}, {"mean", sum}, {"least", least},
                      {"most", most}, {"spread", most - least}});
      if (distance == 1 || distance == 16 || distance == 256)
        table.add({positions_name(positions), fmt::format("{}", distance), fmt::format("{:.3f}", sum), fmt::format("{:.3f}", least),
                   fmt::format("{:.3f}", most)});
    }
  std::cout << fmt::format("The score of \"animal\" against \"animals\" so many words before it, at 64 places\n{}\n", table.text());
  c.results.write("distance", {{"rows", rows}});
  c.figure("rotary_spread", rotary_spread, "1",
           "how far the rotary score of two words moves when both move together, at most, over all distances: rounding");
}

}  // namespace attention::self_attention
