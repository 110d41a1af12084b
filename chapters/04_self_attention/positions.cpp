#include "positions.hpp"

#include <bit>
#include <cmath>

namespace attention::self_attention {

namespace {

double angle(Index position, Index pair, Index length) {
  return static_cast<double>(position) * std::pow(10000.0, -2.0 * static_cast<double>(pair) / static_cast<double>(length));
}

}  // namespace

const char* positions_name(Positions positions) {
  switch (positions) {
    case Positions::none:
      return "none";
    case Positions::sinusoidal:
      return "sinusoidal";
    case Positions::rotary:
      return "rotary";
    case Positions::linear_biases:
      return "linear biases";
    case Positions::learned:
      return "learned";
  }
  return "";
}

void sinusoidal_encoding(Index position, Index width, double* to) {
  for (Index c = 0; c < width; ++c) to[c] = c % 2 == 0 ? std::sin(angle(position, c / 2, width)) : std::cos(angle(position, c / 2, width));
}

double rotary_angle(Index position, Index pair, Index dim) { return angle(position, pair, dim); }

std::vector<float> linear_bias_slopes(Index heads) {
  const auto sequence = [](Index n, Index h) { return static_cast<float>(std::exp2(-8.0 * static_cast<double>(h + 1) / static_cast<double>(n))); };
  const auto whole = static_cast<Index>(std::bit_floor(static_cast<std::size_t>(heads)));
  std::vector<float> slopes;
  for (Index h = 0; h < whole; ++h) slopes.push_back(sequence(whole, h));
  for (Index h = 0; h < heads - whole; ++h) slopes.push_back(sequence(2 * whole, 2 * h));
  return slopes;
}

}  // namespace attention::self_attention
