#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "loaders/fashion_mnist.hpp"

namespace attention::datasets {
namespace {

constexpr std::size_t picture_side = 28;

// splitmix64 (Steele, Lea, Flood 2014). The standard library's distributions differ between its makers; these
// do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // Uniform in [low, high).
  double between(double low, double high) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    return low + (high - low) * (static_cast<double>(z >> 11) * 0x1p-53);
  }
  // About normal, deviation 1: twelve uniforms have variance 1.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += between(0, 1);
    return sum;
  }

 private:
  std::uint64_t state_;
};

// Whether (x, y), in about -1 to 1, lies in the shape; `t` is half the thickness of its strokes.
bool inside(int shape, double x, double y, double t) {
  const double radius = std::sqrt(x * x + y * y), box = std::max(std::abs(x), std::abs(y));
  switch (shape) {
    case 0:  // bar
      return std::abs(y) < t && std::abs(x) < 0.8;
    case 1:  // pillar
      return std::abs(x) < t && std::abs(y) < 0.8;
    case 2:  // plus
      return box < 0.8 && (std::abs(x) < t || std::abs(y) < t);
    case 3:  // cross
      return box < 0.7 && std::abs(std::abs(x) - std::abs(y)) < 1.4 * t;
    case 4:  // ring
      return std::abs(radius - 0.65) < t;
    case 5:  // disc
      return radius < 0.7;
    case 6:  // frame
      return std::abs(box - 0.6) < t;
    case 7:  // triangle
      return y < 0.6 && y > -0.7 && std::abs(x) < (y + 0.7) * 0.6;
    case 8:  // corner
      return box < 0.7 && (x < -0.7 + 2 * t || y > 0.7 - 2 * t);
    default:  // tee
      return box < 0.7 && (std::abs(x) < t || y < -0.7 + 2 * t);
  }
}

void draw(Random& random, int shape, std::uint8_t* pixels) {
  const double shift_x = random.between(-0.25, 0.25), shift_y = random.between(-0.25, 0.25);
  const double scale = random.between(0.65, 1.1), thickness = random.between(0.12, 0.26);
  // A turn of at most 17 degrees either way, from the tangent of half its angle.
  const double half = random.between(-0.15, 0.15);
  const double cosine = (1 - half * half) / (1 + half * half), sine = 2 * half / (1 + half * half);
  const double ink = random.between(90, 230), paper = random.between(0, 50), slope = random.between(-25, 25);
  const double noise = random.between(15, 55);
  for (std::size_t row = 0; row < picture_side; ++row) {
    for (std::size_t column = 0; column < picture_side; ++column) {
      const double u = (static_cast<double>(column) - 13.5) / 13.5 - shift_x;
      const double v = (static_cast<double>(row) - 13.5) / 13.5 - shift_y;
      const double x = (cosine * u + sine * v) / scale, y = (cosine * v - sine * u) / scale;
      const double value =
          paper + slope * u + (inside(shape, x, y, thickness) ? ink : 0) + noise * random.normal();
      pixels[row * picture_side + column] = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
    }
  }
}

ImageSet make_set(std::size_t count, std::uint64_t seed) {
  ImageSet set{tensor::empty<3, std::uint8_t>({count, picture_side, picture_side}), tensor::empty<1, std::uint8_t>({count})};
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const int shape = static_cast<int>(i % 10);
    set.labels.data()[i] = static_cast<std::uint8_t>(shape);
    draw(random, shape, set.images.data() + i * picture_side * picture_side);
  }
  return set;
}

}  // namespace

FashionMnist make_stand_in(std::size_t train_count, std::size_t test_count) {
  return {make_set(train_count, 1),
          make_set(test_count, 2),
          false,
          {"bar", "pillar", "plus", "cross", "ring", "disc", "frame", "triangle", "corner", "tee"}};
}

}  // namespace attention::datasets
