#include "weeks.hpp"

#include <array>
#include <cmath>
#include <numbers>

#include "numerics/random.hpp"

namespace attention::additive {

namespace {

constexpr Index block_weeks = 13;

double middle_of(const datasets::WeeklySeries& series) { return (series.year.front() + series.year.back()) / 2; }

/// The parabola through the points that has the least squares: normal equations, by elimination.
std::array<double, 3> parabola(const std::vector<double>& x, const std::vector<double>& y) {
  std::array<std::array<double, 4>, 3> m{};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::array<double, 3> powers{1, x[i], x[i] * x[i]};
    for (std::size_t r = 0; r < 3; ++r) {
      for (std::size_t c = 0; c < 3; ++c) m[r][c] += powers[r] * powers[c];
      m[r][3] += powers[r] * y[i];
    }
  }
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t other = 0; other < 3; ++other) {
      if (other == r) continue;
      const double factor = m[other][r] / m[r][r];
      for (std::size_t c = 0; c < 4; ++c) m[other][c] -= factor * m[r][c];
    }
  return {m[0][3] / m[0][0], m[1][3] / m[1][1], m[2][3] / m[2][2]};
}

}  // namespace

Weeks split_weeks(const datasets::WeeklySeries& series) {
  Weeks weeks;
  std::vector<double> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Index block = series.week[i] / block_weeks % 5;
    (block == 2 ? weeks.test : block == 4 ? weeks.chosen : weeks.known).push_back(i);
    if (block == 2 || block == 4) continue;
    x.push_back((series.year[i] - middle_of(series)) / 10);
    y.push_back(series.value[i]);
  }
  const auto [c0, c1, c2] = parabola(x, y);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double t = (series.year[i] - middle_of(series)) / 10;
    weeks.residual.push_back(series.value[i] - (c0 + t * (c1 + t * c2)));
  }
  return weeks;
}

Tensor<2> week_rows(const datasets::WeeklySeries& series, const std::vector<std::size_t>& positions) {
  Tensor<2> rows = tensor::empty<2>({positions.size(), static_cast<std::size_t>(features)});
  float* to = rows.data();
  for (const std::size_t i : positions) {
    const double season = 2 * std::numbers::pi * series.year[i];
    for (const double x : {(series.year[i] - middle_of(series)) / 4, std::cos(season), std::sin(season), 1.0})
      *to++ = static_cast<float>(x);
  }
  return rows;
}

Tensor<2> residual_rows(const Weeks& weeks, const std::vector<std::size_t>& positions) {
  Tensor<2> rows = tensor::empty<2>({positions.size(), 1});
  for (std::size_t i = 0; i < positions.size(); ++i) rows.data()[i] = static_cast<float>(weeks.residual[positions[i]]);
  return rows;
}

void set_by_hand(Problem& p, float gain) {
  constexpr float steepness = 4;
  p.W = tensor::empty<2>({6, static_cast<std::size_t>(features)});
  p.U = tensor::empty<2>({6, static_cast<std::size_t>(features)});
  p.v = tensor::empty<1>({6});
  p.W.fill(0);
  p.U.fill(0);
  for (Index h = 0; h < 6; ++h) {
    const Index entry = h / 2;
    const float sign = h % 2 == 0 ? 1.F : -1.F;
    p.W.data()[h * features + entry] = steepness;
    p.U.data()[h * features + entry] = -steepness;
    p.W.data()[h * features + 3] = sign * steepness / 2;
    p.v.data()[h] = sign * gain;
  }
}

void set_at_random(Problem& p, Index hidden, std::uint64_t seed) {
  numerics::Random random(seed);
  const auto units = static_cast<std::size_t>(hidden);
  p.W = tensor::empty<2>({units, static_cast<std::size_t>(features)});
  p.U = tensor::empty<2>({units, static_cast<std::size_t>(features)});
  p.v = tensor::empty<1>({units});
  for (float& x : p.W) x = random.normal() / std::sqrt(static_cast<float>(features));
  for (float& x : p.U) x = random.normal() / std::sqrt(static_cast<float>(features));
  for (float& x : p.v) x = random.normal() / std::sqrt(static_cast<float>(hidden));
}

}  // namespace attention::additive
