#pragma once

namespace attention::tests {

// g++ defines a macro for each sanitizer, clang answers __has_feature.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitized = true;
inline constexpr bool address_sanitized = false;
#elif defined(__SANITIZE_ADDRESS__)
inline constexpr bool thread_sanitized = false;
inline constexpr bool address_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool thread_sanitized = __has_feature(thread_sanitizer);
inline constexpr bool address_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool thread_sanitized = false;
inline constexpr bool address_sanitized = false;
#endif

/// Whether the tests run under a sanitizer, which makes everything some twenty times slower.
inline constexpr bool sanitized = thread_sanitized || address_sanitized;

}  // namespace attention::tests
