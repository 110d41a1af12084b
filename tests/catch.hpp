#pragma once

#include <string>

// One include for Catch2 2 (Debian 12) and 3.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

namespace attention::tests {
/// Matches a text that holds `part`.
inline auto contains(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
}  // namespace attention::tests
#else
#include <catch2/catch.hpp>

namespace attention::tests {
/// Matches a text that holds `part`.
inline auto contains(const std::string& part) { return Catch::Matchers::Contains(part); }
}  // namespace attention::tests
#endif
