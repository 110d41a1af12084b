#include "machine/function_rates.hpp"

#include <algorithm>
#include <cstddef>

#include "machine/affinity.hpp"
#include "machine/team.hpp"
#include "simd/exp2.hpp"
#include "simd/vector.hpp"

namespace attention::machine {
namespace {

constexpr int values = 1024;  // 4 KiB in, 4 KiB out: stays in any first-level cache
constexpr int passes = 64;    // 20 to 100 µs a run

// Tells the compiler that somebody reads and writes what is at `memory`: every pass has to be made.
void touch(const float* memory) { asm volatile("" : : "r"(memory) : "memory"); }

template <int Unroll, class Function>
void evaluate(const Function& function) {
  alignas(64) float operands[values];
  alignas(64) float results[values];
  for (int i = 0; i < values; ++i)
    operands[i] = -4.F + static_cast<float>(i) / values;  // all normal, no special case
  for (int pass = 0; pass < passes; ++pass) {
    touch(operands);
    for (std::ptrdiff_t i = 0; i < values; i += Unroll * simd::lanes) {
      simd::unrolled<Unroll>([&](auto u) __attribute__((always_inline)) {
        simd::store(results + i + u * simd::lanes, function(simd::load(operands + i + u * simd::lanes)));
      });
    }
    touch(results);
  }
}

template <class Function>
double measure(int threads, double seconds, const Function& function) {
  const ThreadScope scope(threads);
  constexpr double evaluations = static_cast<double>(values) * passes;
  const double work = evaluations * threads;
  return std::max({best_rate(threads, seconds / 3, work, [&](int) { evaluate<1>(function); }),
                   best_rate(threads, seconds / 3, work, [&](int) { evaluate<2>(function); }),
                   best_rate(threads, seconds / 3, work, [&](int) { evaluate<4>(function); })});
}

}  // namespace

double measure_exp_rate(int threads, double seconds) {
  return measure(
      threads, seconds, [](simd::Float x) __attribute__((always_inline)) { return simd::exp2(x); });
}

double measure_reciprocal_rate(int threads, double seconds) {
  return measure(
      threads, seconds, [](simd::Float x) __attribute__((always_inline)) { return 1.F / x; });
}

}  // namespace attention::machine
