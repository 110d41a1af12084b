// The micro-kernel whose left factor is interleaved.
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "numerics/random.hpp"
#include "simd/interleaved_tile.hpp"

using namespace attention;

TEST_CASE("the interleaved micro-kernel multiplies, scales and adds, for every tile and depth", "[unit]") {
  numerics::Random random(5);
  const auto size = [](std::ptrdiff_t n) { return static_cast<std::size_t>(n); };
  for (std::ptrdiff_t rows = 1; rows <= 2 * simd::interleaved_rows + 1; ++rows)
    for (int vectors = 1; vectors <= simd::interleaved_vectors; ++vectors)
      for (const std::ptrdiff_t depth : {1, 2, 63, 64, 200}) {
        const std::ptrdiff_t width = vectors * simd::lanes;
        const std::ptrdiff_t step = simd::interleaved_rows + 3;
        const std::ptrdiff_t strip = depth * step;
        std::vector<float> a(size(3 * strip)), b(size(depth * width)), scale(size(width)), old(size(rows * width + 1));
        for (auto* all : {&a, &b, &scale, &old})
          for (float& x : *all) x = random.normal();
        std::vector<float> replaced = old, added = old;
        simd::multiply_interleaved(rows, vectors, depth, a.data(), strip, step, b.data(), replaced.data(), nullptr);
        simd::multiply_interleaved(rows, vectors, depth, a.data(), strip, step, b.data(), added.data(), scale.data());
        // Each of the additions rounds by at most u times the sum of what is there (Higham 2002, section 3.1).
        const double roundings = static_cast<double>(depth + 2) * 0x1p-24;
        for (std::ptrdiff_t i = 0; i < rows; ++i)
          for (std::ptrdiff_t j = 0; j < width; ++j) {
            double sum = 0;
            double magnitude = 0;
            for (std::ptrdiff_t k = 0; k < depth; ++k) {
              const double term = static_cast<double>(a[size(i / simd::interleaved_rows * strip + k * step + i % simd::interleaved_rows)]) * static_cast<double>(b[size(k * width + j)]);
              sum += term;
              magnitude += std::abs(term);
            }
            const std::size_t at = size(i * width + j);
            const double before = static_cast<double>(scale[size(j)]) * static_cast<double>(old[at]);
            REQUIRE(std::abs(static_cast<double>(replaced[at]) - sum) <= roundings * magnitude);
            REQUIRE(std::abs(static_cast<double>(added[at]) - (before + sum)) <= roundings * (magnitude + std::abs(before)));
          }
        CHECK(replaced.back() == old.back());
        CHECK(added.back() == old.back());
      }
}
