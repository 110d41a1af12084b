#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "experiments/images.hpp"
#include "program/progress.hpp"
#include "program/table.hpp"
#include "rungs/rungs.hpp"

namespace attention::dot_product {

namespace {

struct Point {
  LookUp look_up;
  double accuracy = 0;
  double perplexity = 0;  ///< exp of the mean entropy of a row of weights: among how many images a look is shared
};

/// Unscaled scores of the problem's first rows, at most 100, each with all keys: [rows × keys]. Every scale starts from them.
std::vector<float> some_scores(const Problem& problem) {
  const Index rows = std::min<Index>(problem.queries(), 100);
  const Index keys = problem.keys();
  const Index dim = problem.dim();
  std::vector<float> scores(static_cast<std::size_t>(rows * keys));
#pragma omp parallel for
  for (Index j = 0; j < keys; ++j)
    for (Index i = 0; i < rows; ++i) {
      const float* query = problem.query.data() + i * dim;
      const float* key = problem.key.data() + j * dim;
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (Index c = 0; c < dim; ++c) sum += query[c] * key[c];
      scores[static_cast<std::size_t>(i * keys + j)] = sum;
    }
  return scores;
}

/// exp(mean over the rows of −Σ w log w) with w = softmax(scale · scores); −Σ w log w = log Σ e^s − Σ w s.
double perplexity(const std::vector<float>& scores, Index keys, float scale) {
  double entropy = 0;
  for (auto row = scores.begin(); row != scores.end(); row += keys) {
    const double factor = static_cast<double>(scale);
    const double largest = factor * static_cast<double>(*std::max_element(row, row + keys));
    double sum = 0;
    double weighted = 0;
    for (auto s = row; s != row + keys; ++s) {
      const double score = factor * static_cast<double>(*s) - largest;
      const double e = std::exp(score);
      sum += e;
      weighted += e * score;
    }
    entropy += std::log(sum) - weighted / sum;
  }
  return std::exp(entropy * static_cast<double>(keys) / static_cast<double>(scores.size()));
}

std::vector<float> scales(Features features, bool quick) {
  if (features == Features::raw) {
    const float usual = 1 / std::sqrt(784.F);
    return quick ? std::vector{usual, 0.3F, 1.F} : std::vector{0.01F, usual, 0.1F, 1.F};
  }
  return quick ? std::vector{10.F, 100.F, 300.F} : std::vector{10.F, 30.F, 100.F, 300.F, 1000.F};
}

}  // namespace

LookUp accuracy_over_scale(const Context& c) {
  const datasets::ImageSet& train = c.data.train;
  // The last training images ask, the others answer: the scale is chosen without a look at the test set.
  const Index held_back = std::min<Index>(c.quick ? 500 : 1000, count_of(train) / 5);
  const Index keys = count_of(train) - held_back;
  const std::vector<float> mean = mean_image(train, 0, keys);

  std::vector<Point> points;
  {
    program::Progress progress("accuracy over the scale", static_cast<std::int64_t>(scales(Features::raw, c.quick).size() +
                                                                                    2 * scales(Features::unit, c.quick).size()));
    for (const Features features : {Features::raw, Features::unit, Features::centred}) {
      Problem problem{image_rows(train, keys, held_back, features, mean), image_rows(train, 0, keys, features, mean),
                      class_rows(train, 0, keys), 1};
      const std::vector<float> scores = some_scores(problem);
      for (const float scale : scales(features, c.quick)) {
        progress.note(fmt::format("{}, scale {:.3g}", features_name(features), scale));
        problem.scale = scale;
        Output out;
        fused(problem, out);
        points.push_back({{features, scale}, accuracy(out.output, train, keys), perplexity(scores, keys, scale)});
        progress.step();
      }
    }
  }

  const LookUp best = std::ranges::max_element(points, {}, [](const Point& p) { return p.accuracy; })->look_up;

  std::vector<Point> tested;
  const LookUp usual{Features::raw, 1 / std::sqrt(784.F)};
  {
    std::vector<LookUp> look_ups{usual};
    if (best.features != usual.features || best.scale != usual.scale) look_ups.push_back(best);
    program::Progress progress("accuracy on the test images", static_cast<std::int64_t>(look_ups.size()));
    for (const LookUp& look_up : look_ups) {
      const Problem problem = test_problem(c.data, look_up);
      Output out;
      fused(problem, out);
      tested.push_back({look_up, accuracy(out.output, c.data.test, 0),
                        perplexity(some_scores(problem), problem.keys(), problem.scale)});
      progress.step();
    }
  }

  program::Table table({{"images as"}, {"scale"}, {"accuracy"}, {"perplexity"}});
  std::cout << fmt::format("\nAccuracy over the scale, {} held-back training images look up {} others{}\n", held_back, keys,
                           c.data.real ? "" : " (generated stand-in data)");
  Json rows = Json::array();
  const auto row_json = [](const Point& p, const char* set) {
    return Json{{"features", features_name(p.look_up.features)}, {"scale", p.look_up.scale},
                {"accuracy", p.accuracy}, {"perplexity", p.perplexity}, {"set", set}};
  };
  for (const Point& p : points) {
    table.add({features_name(p.look_up.features), fmt::format("{:.3g}", p.look_up.scale),
               fmt::format("{:.1f} %", 100 * p.accuracy), fmt::format("{:.1f}", p.perplexity)});
    rows.push_back(row_json(p, "held_back"));
  }
  std::cout << table.text() << '\n';

  program::Table test_table({{"images as"}, {"scale"}, {"accuracy"}, {"perplexity"}});
  for (const Point& p : tested) {
    test_table.add({features_name(p.look_up.features), fmt::format("{:.3g}", p.look_up.scale),
                    fmt::format("{:.2f} %", 100 * p.accuracy), fmt::format("{:.1f}", p.perplexity)});
    rows.push_back(row_json(p, "test"));
  }
  std::cout << fmt::format("On the {} test images, with the usual scale and with the one chosen above\n{}\n",
                           count_of(c.data.test), test_table.text());
  c.results.write("accuracy", {{"held_back", held_back}, {"keys", keys}, {"test", count_of(c.data.test)}, {"rows", rows},
                               {"chosen", {{"features", features_name(best.features)}, {"scale", best.scale}}}});

  for (const Point& p : tested)
    if (p.look_up.features == best.features && p.look_up.scale == best.scale)
      c.figure("accuracy_test", p.accuracy, "1",
               fmt::format("share of the test images whose class the look-up finds ({}, scale {:.3g})",
                           features_name(best.features), best.scale));
  c.figure("accuracy_raw_scaled", tested.front().accuracy, "1", "the same with raw pixels and the usual scale 1/sqrt(784)");
  return best;
}

}  // namespace attention::dot_product
