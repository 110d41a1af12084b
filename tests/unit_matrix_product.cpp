#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "machine/affinity.hpp"
#include "numerics/error_bound.hpp"
#include "numerics/random.hpp"
#include "simd/matrix_product.hpp"

using namespace attention;

TEST_CASE("the blocked product agrees with float64 at sizes that fit no tile", "[simd]") {
  numerics::Random random(3);
  for (const std::ptrdiff_t rows : {1, 11, 12, 13, 97, 200})
    for (const std::ptrdiff_t columns : {1, 31, 32, 33, 70})
      for (const std::ptrdiff_t depth : {1, 16, 255, 257, 600}) {
        INFO(rows << " x " << columns << " x " << depth);
        // Rows lie further apart than they are long; what lies between must stay.
        const std::ptrdiff_t a_stride = depth + 3, b_stride = columns + 2, c_stride = columns + 5;
        std::vector<float> a(static_cast<std::size_t>(rows * a_stride)), b(static_cast<std::size_t>(depth * b_stride));
        for (float& x : a) x = random.normal();
        for (float& x : b) x = random.normal();
        std::vector<float> packed(static_cast<std::size_t>(simd::packed_size(depth, columns)));
        simd::pack_panels(b.data(), b_stride, depth, columns, packed.data());
        std::vector<float> first;
        for (const int threads : {1, 3}) {
          machine::use_threads(threads);
          std::vector<float> c(static_cast<std::size_t>(rows * c_stride), 7.F);
          simd::multiply_packed_parallel(rows, columns, depth, a.data(), a_stride, packed.data(), c.data(), c_stride);
          for (std::ptrdiff_t i = 0; i < rows; ++i)
            for (std::ptrdiff_t j = 0; j < c_stride; ++j) {
              const float found = c[static_cast<std::size_t>(i * c_stride + j)];
              if (j >= columns) {
                REQUIRE(found == 7.F);
                continue;
              }
              double sum = 0, squares = 1;
              for (std::ptrdiff_t k = 0; k < depth; ++k) {
                const double term = static_cast<double>(a[static_cast<std::size_t>(i * a_stride + k)]) *
                                    static_cast<double>(b[static_cast<std::size_t>(k * b_stride + j)]);
                sum += term;
                squares += term * term;
              }
              // Partial sums of random terms stay within a few roots of their squares.
              REQUIRE(std::abs(sum - static_cast<double>(found)) <=
                      4 * std::sqrt(squares) * numerics::sum_error(static_cast<double>(depth)));
            }
          if (first.empty()) first = c;
          CHECK(c == first);
        }
      }
}

TEST_CASE("what finishes a product is done once to each element, whatever the panels and parts", "[simd]") {
  numerics::Random random(4);
  for (const std::ptrdiff_t rows : {1, 7, 30})
    for (const std::ptrdiff_t columns : {1, 63, 64, 130})
      for (const std::ptrdiff_t depth : {5, 600, 1100}) {  // more than one part of the depth
        std::vector<float> a(static_cast<std::size_t>(rows * depth)), b(static_cast<std::size_t>(depth * columns)), bias(static_cast<std::size_t>(columns)),
            held(static_cast<std::size_t>(rows * columns)), plain(held.size());
        for (std::vector<float>* v : {&a, &b, &bias, &held})
          for (float& x : *v) x = random.normal();
        std::vector<float> packed(static_cast<std::size_t>(simd::packed_size(depth, columns)));
        simd::pack_panels(b.data(), columns, depth, columns, packed.data());
        for (const int threads : {1, 3}) {
          machine::use_threads(threads);
          simd::multiply_packed_parallel(rows, columns, depth, a.data(), depth, packed.data(), plain.data(), columns);
          for (const bool add : {false, true})
            for (const bool with_bias : {false, true})
              for (const bool rectify : {false, true}) {
                INFO(rows << " x " << columns << " x " << depth << ", add " << add << ", bias " << with_bias << ", rectify " << rectify);
                std::vector<float> c = held;
                simd::multiply_packed_parallel(rows, columns, depth, a.data(), depth, packed.data(), c.data(), columns,
                                               {add, with_bias ? bias.data() : nullptr, rectify});
                for (std::size_t i = 0; i < c.size(); ++i) {
                  float expected = plain[i] + (add ? held[i] : 0) + (with_bias ? bias[i % static_cast<std::size_t>(columns)] : 0);
                  if (rectify) expected = std::max(expected, 0.F);
                  // The order of three numbers to be added may differ.
                  REQUIRE(std::abs(c[i] - expected) <= 1e-6F * (std::abs(plain[i]) + 60));
                }
              }
        }
      }
}
