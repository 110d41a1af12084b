#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <numbers>
#include <string>

#include "experiments/experiments.hpp"
#include "multi_head.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"

namespace attention::multi_head {

namespace {

// A picture of 28 × 28 becomes 7 × 7 patches of 4 × 4 pixels.
constexpr Index side = 7;
constexpr Index patches = side * side;
constexpr Index pixels = 4;

// A patch as a row of X: its 16 cosine coefficients, then its place as cosine and sine, down and across, and the constant 1.
constexpr Index coefficients = pixels * pixels;
constexpr Index place = coefficients;
constexpr Index width = coefficients + 5;

/// Coefficient (u, v) of the two-dimensional cosine transform (DCT-II, orthonormal) of a patch with pixels from 0 to 1.
float coefficient(const std::uint8_t* patch, Index stride, Index u, Index v) {
  double sum = 0;
  for (Index y = 0; y < pixels; ++y)
    for (Index x = 0; x < pixels; ++x)
      sum += patch[y * stride + x] / 255.0 * std::cos(std::numbers::pi * static_cast<double>((2 * y + 1) * u) / (2.0 * pixels)) *
             std::cos(std::numbers::pi * static_cast<double>((2 * x + 1) * v) / (2.0 * pixels));
  return static_cast<float>(sum * (u == 0 ? 0.5 : std::numbers::sqrt2 / 2) * (v == 0 ? 0.5 : std::numbers::sqrt2 / 2));
}

Tensor<3> rows_of(const std::uint8_t* picture) {
  auto X = tensor::empty<3>({1, patches, width});
  for (Index py = 0; py < side; ++py)
    for (Index px = 0; px < side; ++px) {
      float* row = X.data() + (py * side + px) * width;
      for (Index u = 0; u < pixels; ++u)
        for (Index v = 0; v < pixels; ++v)
          row[u * pixels + v] = coefficient(picture + (py * pixels) * 28 + px * pixels, 28, u, v);
      const double down = std::numbers::pi / side * (static_cast<double>(py) + 0.5);
      const double across = std::numbers::pi / side * (static_cast<double>(px) + 0.5);
      row[place] = static_cast<float>(std::cos(down));
      row[place + 1] = static_cast<float>(std::sin(down));
      row[place + 2] = static_cast<float>(std::cos(across));
      row[place + 3] = static_cast<float>(std::sin(across));
      row[place + 4] = 1;
    }
  return X;
}

/// What a head compares: entries of a row, each with a factor; and whether the across half of the query's place is mirrored.
struct Head {
  const char* what;
  std::vector<Index> entries;
  float sharpness;
  bool mirrored = false;
};

const std::array<Head, 4>& heads() {
  static const std::array<Head, 4> all{{
      {"brightness", {0}, 3},
      {"edges", {1, 2, 4, 5, 8}, 8},
      {"the same place", {place, place + 1, place + 2, place + 3}, 30},
      {"the mirrored place", {place, place + 1, place + 2, place + 3}, 30, true},
  }};
  return all;
}

/// W_Q and W_K pick the entries; a bilinear score of equal vectors is not largest at the same vector, so lengths matter: the
/// brightness head looks at the brightest of its kind.
Problem four_heads(const std::uint8_t* picture) {
  constexpr Index dim = 5;
  Problem p;
  p.input = rows_of(picture);
  const auto zeros = [](Index a, Index b, Index c) {
    auto t = tensor::empty<3>({static_cast<std::size_t>(a), static_cast<std::size_t>(b), static_cast<std::size_t>(c)});
    t.fill(0);
    return t;
  };
  p.W_Q = zeros(4, width, dim);
  p.W_K = zeros(4, width, dim);
  p.W_V = zeros(4, width, dim);
  p.W_O = zeros(4, dim, width);
  for (std::size_t h = 0; h < heads().size(); ++h) {
    const Head& head = heads()[h];
    for (std::size_t c = 0; c < head.entries.size(); ++c) {
      const Index at = (static_cast<Index>(h) * width + head.entries[c]) * dim + static_cast<Index>(c);
      // cos(π − a) = −cos a: the patch as far from the right as the query is from the left.
      const bool turned = head.mirrored && head.entries[c] == place + 2;
      p.W_Q.data()[at] = (turned ? -1.F : 1.F) * head.sharpness;
      p.W_K.data()[at] = 1;
    }
  }
  return p;
}

/// The weights of all heads: the attention of chapter 2 on each head's Q and K.
Tensor<4> weights_of(const Problem& p) {
  const Index dim = p.dim();
  auto weights = tensor::empty<4>({1, static_cast<std::size_t>(p.heads()), patches, patches});
  for (Index h = 0; h < p.heads(); ++h)
    for (Index i = 0; i < patches; ++i) {
      std::array<double, patches> scores{};
      double largest = -1e300;
      for (Index j = 0; j < patches; ++j) {
        double score = 0;
        for (Index c = 0; c < dim; ++c) {
          double q = 0, k = 0;
          for (Index w = 0; w < width; ++w) {
            const Index at = (h * width + w) * dim + c;
            q += static_cast<double>(p.input.data()[i * width + w]) * static_cast<double>(p.W_Q.data()[at]);
            k += static_cast<double>(p.input.data()[j * width + w]) * static_cast<double>(p.W_K.data()[at]);
          }
          score += q * k;
        }
        scores[static_cast<std::size_t>(j)] = score / std::sqrt(static_cast<double>(dim));
        largest = std::max(largest, scores[static_cast<std::size_t>(j)]);
      }
      double total = 0;
      for (double& s : scores) total += s = std::exp(s - largest);
      for (Index j = 0; j < patches; ++j)
        weights.data()[(h * patches + i) * patches + j] = static_cast<float>(scores[static_cast<std::size_t>(j)] / total);
    }
  return weights;
}

/// Half the sum of |a − b| over a row, the mean of all rows: 0 where two heads look alike, 1 where they share nothing.
double distance(const Tensor<4>& weights, Index a, Index b) {
  double sum = 0;
  for (Index i = 0; i < patches * patches; ++i)
    sum += std::abs(static_cast<double>(weights.data()[a * patches * patches + i]) -
                    static_cast<double>(weights.data()[b * patches * patches + i]));
  return sum / 2 / patches;
}

}  // namespace

void what_heads_look_at(const ladder::ChapterRun& run, const datasets::FashionMnist& data) {
  // The first test picture of a pullover.
  const auto& labels = data.test.labels;
  const auto found = std::ranges::find(labels, 2);
  const Index which = found == labels.end() ? 0 : found - labels.begin();
  const std::uint8_t* picture = data.test.images.data() + which * 28 * 28;
  const Tensor<4> weights = weights_of(four_heads(picture));

  const std::array<std::pair<const char*, Index>, 4> asking{{{"left sleeve", 3 * side + 1},
                                                             {"right sleeve", 3 * side + 5},
                                                             {"neck", 0 * side + 3},
                                                             {"lower hem", 6 * side + 2}}};
  record::AttentionRecord record;
  record.title = "Four heads over the 7 × 7 patches of a picture, set by hand";
  record.real = data.real;
  std::vector<std::string> names;
  for (const auto& [name, patch] : asking) names.push_back(fmt::format("{} ({}, {})", name, patch / side + 1, patch % side + 1));
  record.queries = record::tokens(names);
  auto shown = tensor::empty<2, std::uint8_t>({28, 28});
  std::copy_n(picture, 28 * 28, shown.data());
  record.keys = record::image({side, side}, tensor::to_npy(shown));
  record.machine = run.results.machine();
  record.weights = tensor::empty<4>({1, heads().size(), asking.size(), patches});
  for (std::size_t h = 0; h < heads().size(); ++h)
    for (std::size_t q = 0; q < asking.size(); ++q)
      std::copy_n(weights.data() + (static_cast<Index>(h) * patches + asking[q].second) * patches, patches,
                  record.weights.data() + static_cast<Index>(h * asking.size() + q) * patches);
  record::write(record, run.results.folder(), "heads");

  program::Table table({{"head"}, {"compares"}, {"distance to head 1"}, {"2"}, {"3"}, {"4"}});
  Json rows = Json::array();
  for (std::size_t a = 0; a < heads().size(); ++a) {
    std::vector<std::string> cells{std::to_string(a + 1), heads()[a].what};
    Json row = {{"head", a + 1}, {"compares", heads()[a].what}};
    for (std::size_t b = 0; b < heads().size(); ++b) {
      const double d = distance(weights, static_cast<Index>(a), static_cast<Index>(b));
      cells.push_back(fmt::format("{:.2f}", d));
      row[fmt::format("distance_to_{}", b + 1)] = d;
    }
    table.add(cells);
    rows.push_back(row);
  }
  std::cout << fmt::format("\nFour heads over one picture{}\n{}\n", data.real ? "" : " (generated stand-in data)", table.text());
  run.results.write("heads", {{"rows", rows}});
}

}  // namespace attention::multi_head
