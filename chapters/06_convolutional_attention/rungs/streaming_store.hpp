#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/vector.hpp"

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace attention::convolutional {

/// Whether a vector may be written there past the caches.
inline bool may_stream(const float* to) { return reinterpret_cast<std::uintptr_t>(to) % sizeof(simd::Float) == 0; }

/// Floats from there to the next address at which that is so.
inline std::ptrdiff_t until_aligned(const float* to) {
  return static_cast<std::ptrdiff_t>((-reinterpret_cast<std::uintptr_t>(to) % sizeof(simd::Float)) / sizeof(float));
}

/// Writes a vector past the caches: the line is not fetched first, which an ordinary store does, and pushes nothing out.
/// `to` is aligned to the vector's size. Neither g++ 12 nor the language has a word for it; clang has a builtin.
inline void stream(float* to, simd::Float value) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, value);
#elif defined(__AVX__)
  _mm256_stream_ps(to, value);
#elif defined(__SSE__)
  _mm_stream_ps(to, value);
#else
  simd::store(to, value);
#endif
}

/// Such stores may be seen late by other threads: before a thread says that it is done, it waits for them.
inline void finish_streaming() {
#if defined(__SSE__)
  _mm_sfence();
#endif
}

}  // namespace attention::convolutional
