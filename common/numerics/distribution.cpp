#include "numerics/distribution.hpp"

#include <cmath>
#include <stdexcept>

namespace attention::numerics {

namespace {

void check_lengths(std::size_t a, std::size_t b) {
  if (a != b) throw std::invalid_argument("two distributions over the same things have the same length");
}

}  // namespace

template <class Real>
double entropy_in_bits(std::span<const Real> p) {
  double bits = 0;
  for (const Real value : p)
    if (value > 0) bits -= static_cast<double>(value) * std::log2(static_cast<double>(value));
  return bits;
}

template <class Real>
double jensen_shannon_in_bits(std::span<const Real> p, std::span<const Real> q) {
  check_lengths(p.size(), q.size());
  double bits = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto a = static_cast<double>(p[i]), b = static_cast<double>(q[i]);
    const double mean = (a + b) / 2;
    if (a > 0) bits += a / 2 * std::log2(a / mean);
    if (b > 0) bits += b / 2 * std::log2(b / mean);
  }
  return bits;
}

template <class Real>
double total_variation(std::span<const Real> p, std::span<const Real> q) {
  check_lengths(p.size(), q.size());
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::abs(static_cast<double>(p[i]) - static_cast<double>(q[i]));
  return sum / 2;
}

#define ATTENTION_DEFINE(Real)                                                         \
  template double entropy_in_bits(std::span<const Real>);                              \
  template double jensen_shannon_in_bits(std::span<const Real>, std::span<const Real>); \
  template double total_variation(std::span<const Real>, std::span<const Real>);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::numerics
