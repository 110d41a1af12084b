#include "machine/streams.hpp"

#include <immintrin.h>

#include "simd/vector.hpp"

namespace attention::machine {
namespace {

constexpr std::size_t lanes = simd::lanes;
constexpr std::size_t step = 64;    // floats of each stream per round: four cache lines
constexpr std::size_t line = 16;    // floats of a cache line
constexpr std::size_t ahead = 256;  // floats; beyond the end of a buffer a prefetch does nothing

using simd::Float;
using simd::Int;

void store_past_caches(float* to, Float value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, value);
#elif defined(__AVX__)
  _mm256_stream_ps(to, value);
#else
  _mm_stream_ps(to, value);
#endif
}

template <bool NonTemporal>
[[gnu::always_inline]] inline void put(float* to, Float value) {
  if constexpr (NonTemporal) {
    store_past_caches(to, value);
  } else {
    simd::store(to, value);
  }
}

// Exclusive or on the bits: one cycle, and no value (denormal, NaN) is slower than another.
template <int Streams, bool Prefetch>
float read(const float* from, std::size_t floats) {
  const std::size_t part = floats / Streams;
  Int bits[Streams]{};
  for (std::size_t i = 0; i < part; i += step) {
    simd::unrolled<Streams>([&](auto s) {
      const float* at = from + s * part + i;
      if constexpr (Prefetch) {
        simd::unrolled<static_cast<int>(step / line)>(
            [&](auto l) { __builtin_prefetch(at + ahead + l * line); });
      }
      Int together{};
      simd::unrolled<static_cast<int>(step / lanes)>(
          [&](auto v) { together ^= std::bit_cast<Int>(simd::load(at + v * lanes)); });
      bits[s] ^= together;
    });
  }
  Int all{};
  for (const Int& b : bits) all ^= b;
  return simd::sum(std::bit_cast<Float>(all & 0x3fffffff));
}

template <int Streams, bool NonTemporal>
void write(float* to, std::size_t floats) {
  const std::size_t part = floats / Streams;
  const Float value = simd::broadcast(1.F);
  for (std::size_t i = 0; i < part; i += step) {
    simd::unrolled<Streams>([&](auto s) {
      simd::unrolled<static_cast<int>(step / lanes)>(
          [&](auto v) { put<NonTemporal>(to + s * part + i + v * lanes, value); });
    });
  }
  if (NonTemporal) _mm_sfence();
}

template <int Streams, bool NonTemporal>
void copy(const float* from, float* to, std::size_t floats) {
  const std::size_t part = floats / Streams;
  for (std::size_t i = 0; i < part; i += step) {
    simd::unrolled<Streams>([&](auto s) {
      simd::unrolled<static_cast<int>(step / lanes)>([&](auto v) {
        const std::size_t at = s * part + i + v * lanes;
        put<NonTemporal>(to + at, simd::load(from + at));
      });
    });
  }
  if (NonTemporal) _mm_sfence();
}

}  // namespace

float read_streams(const float* from, std::size_t floats, int streams, bool prefetch) {
  switch (streams) {
    case 1:
      return prefetch ? read<1, true>(from, floats) : read<1, false>(from, floats);
    case 2:
      return prefetch ? read<2, true>(from, floats) : read<2, false>(from, floats);
    case 4:
      return prefetch ? read<4, true>(from, floats) : read<4, false>(from, floats);
    default:
      return prefetch ? read<8, true>(from, floats) : read<8, false>(from, floats);
  }
}

void write_streams(float* to, std::size_t floats, int streams, bool non_temporal) {
  switch (streams) {
    case 1:
      return non_temporal ? write<1, true>(to, floats) : write<1, false>(to, floats);
    case 2:
      return non_temporal ? write<2, true>(to, floats) : write<2, false>(to, floats);
    case 4:
      return non_temporal ? write<4, true>(to, floats) : write<4, false>(to, floats);
    default:
      return non_temporal ? write<8, true>(to, floats) : write<8, false>(to, floats);
  }
}

void copy_streams(const float* from, float* to, std::size_t floats, int streams, bool non_temporal) {
  switch (streams) {
    case 1:
      return non_temporal ? copy<1, true>(from, to, floats) : copy<1, false>(from, to, floats);
    case 2:
      return non_temporal ? copy<2, true>(from, to, floats) : copy<2, false>(from, to, floats);
    case 4:
      return non_temporal ? copy<4, true>(from, to, floats) : copy<4, false>(from, to, floats);
    default:
      return non_temporal ? copy<8, true>(from, to, floats) : copy<8, false>(from, to, floats);
  }
}

}  // namespace attention::machine
