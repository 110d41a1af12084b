#include "machine/fma_peak.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "machine/affinity.hpp"
#include "machine/team.hpp"
#include "simd/bfloat16_dot.hpp"
#include "simd/vector.hpp"

namespace attention::machine {
namespace {

// Half the widest: some processors run two narrow ones where they run one wide one, or at a higher clock.
using Narrow = float __attribute__((vector_size(sizeof(simd::Float) > 16 ? sizeof(simd::Float) / 2 : 16)));

constexpr long multiply_adds_per_run = 400'000;  // about 0.1 ms
volatile float source_factor = 0.999F;           // volatile: the compiler knows neither what goes in
volatile float source_summand = 0.001F;
thread_local volatile float kept_sum;  // nor that the result is of no use

// Each lane tends to summand / (1 - factor) = 1: no value is denormal or infinite.
template <class V, int Chains>
[[gnu::noinline]] void multiply_add_chains() {
  const V factor = source_factor - V{};
  const V summand = source_summand - V{};
  V chain[Chains];
  simd::unrolled<Chains>([&](auto i) { chain[i] = summand * static_cast<float>(i + 1); });
  for (long step = 0; step < multiply_adds_per_run / Chains; ++step) {
    simd::unrolled<Chains>([&](auto i)
                               __attribute__((always_inline)) { chain[i] = chain[i] * factor + summand; });
  }
  V total{};
  simd::unrolled<Chains>([&](auto i) { total += chain[i]; });
  kept_sum = total[0];
}

template <class V, int Chains>
double rate(int threads) {
  constexpr double lanes = sizeof(V) / sizeof(float);
  constexpr long steps = multiply_adds_per_run / Chains;
  const double operations = 2 * lanes * static_cast<double>(steps * Chains) * threads;
  return operations / team_seconds(threads, [](int) { multiply_add_chains<V, Chains>(); });
}

using Rate = double (*)(int threads);

#if defined(__AVX512F__)
constexpr std::array<Rate, 8> rates{rate<simd::Float, 16>, rate<simd::Float, 12>, rate<simd::Float, 24>,
                                    rate<simd::Float, 8>,  rate<simd::Float, 10>, rate<simd::Float, 20>,
                                    rate<Narrow, 12>,      rate<Narrow, 16>};
#else  // half as many registers
constexpr std::array<Rate, 6> rates{rate<simd::Float, 8>,  rate<simd::Float, 10>, rate<simd::Float, 12>,
                                    rate<simd::Float, 14>, rate<Narrow, 8>,       rate<Narrow, 12>};
#endif

}  // namespace

double measure_fma_peak(int threads, double seconds) {
  const ThreadScope scope(threads);
  std::array<double, rates.size()> best{};
  const double end = now_seconds() + seconds;
  for (std::size_t i = 0; i < rates.size(); ++i) best[i] = rates[i](threads);
  // Then only the promising: another program's disturbance, or a clock that still rises, hits each of them
  // alike.
  for (std::size_t turn = 0; now_seconds() < end; ++turn) {
    const auto leader = static_cast<std::size_t>(std::ranges::max_element(best) - best.begin());
    const std::size_t tried = turn % 2 == 0 ? leader : turn / 2 % rates.size();
    best[tried] = std::max(best[tried], rates[tried](threads));
  }
  return *std::ranges::max_element(best);
}

double measure_bfloat16_peak(int threads, double seconds) {
  if (!simd::has_bfloat16_dot()) return 0;
  const ThreadScope scope(threads);
  constexpr long steps = multiply_adds_per_run / 24;
  const double operations = 4.0 * simd::lanes * 24 * static_cast<double>(steps) * threads;
  double best = 0;
  const double end = now_seconds() + seconds;
  do
    best = std::max(best, operations / team_seconds(threads, [](int) { kept_sum = simd::bfloat16_dot_chains(steps); }));
  while (now_seconds() < end);
  return best;
}

}  // namespace attention::machine
