#include "picture_preparation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace attention::convolutional {

namespace {

using tensor::Tensor;

struct Lines {
  std::size_t first, last;
  std::size_t length() const { return last - first; }
};

/// The lines from the first to the last that `differs`; empty where none does.
template <class Differs>
Lines trimmed(std::size_t count, Differs differs) {
  std::size_t first = 0, last = count;
  while (first < last && !differs(first)) ++first;
  while (last > first && !differs(last - 1)) --last;
  return {first, last};
}

/// weights[i] of source lines begin … of a target line: how much of each it covers, sum 1.
struct Cover {
  std::size_t begin;
  std::vector<double> weights;
};

Cover cover(std::size_t target, std::size_t targets, Lines source) {
  const double step = static_cast<double>(source.length()) / static_cast<double>(targets);
  const double from = static_cast<double>(target) * step, to = from + step;
  Cover c{source.first + static_cast<std::size_t>(from), {}};
  for (auto line = std::floor(from); line < to - 1e-9; ++line) c.weights.push_back((std::min(to, line + 1) - std::max(from, line)) / step);
  return c;
}

}  // namespace

Tensor<2> prepared(const Tensor<2>& picture, std::size_t side) {
  constexpr float close = 0.05F;
  const std::size_t height = picture.shape(0), width = picture.shape(1);
  const float corner = picture(0, 0);
  const auto differs = [&](std::size_t y, std::size_t x) { return std::abs(picture(y, x) - corner) > close; };
  const Lines rows = trimmed(height, [&](std::size_t y) {
    for (std::size_t x = 0; x < width; ++x)
      if (differs(y, x)) return true;
    return false;
  });
  const Lines columns = trimmed(width, [&](std::size_t x) {
    for (std::size_t y = rows.first; y < rows.last; ++y)
      if (differs(y, x)) return true;
    return false;
  });
  const float corners = (picture(0, 0) + picture(0, width - 1) + picture(height - 1, 0) + picture(height - 1, width - 1)) / 4;
  const bool bright = corners > 0.5F;
  Tensor<2> result = tensor::empty<2>({side, side});
  result.fill(0);
  if (rows.length() == 0 || columns.length() == 0) return result;
  const std::size_t longer = std::max(rows.length(), columns.length());
  const auto scaled = [&](std::size_t n) { return std::max<std::size_t>(1, (n * side + longer / 2) / longer); };
  const std::size_t new_height = scaled(rows.length()), new_width = scaled(columns.length());
  for (std::size_t y = 0; y < new_height; ++y) {
    const Cover down = cover(y, new_height, rows);
    for (std::size_t x = 0; x < new_width; ++x) {
      const Cover across = cover(x, new_width, columns);
      double sum = 0;
      for (std::size_t i = 0; i < down.weights.size(); ++i)
        for (std::size_t j = 0; j < across.weights.size(); ++j)
          sum += down.weights[i] * across.weights[j] *
                 static_cast<double>(picture(std::min(down.begin + i, rows.last - 1), std::min(across.begin + j, columns.last - 1)));
      const auto grey = static_cast<float>(bright ? 1 - sum : sum);
      result((side - new_height) / 2 + y, (side - new_width) / 2 + x) = std::clamp(grey, 0.F, 1.F);
    }
  }
  return result;
}

}  // namespace attention::convolutional
