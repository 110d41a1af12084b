#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "catch.hpp"
#include "machine/affinity.hpp"
#include "self_attention.hpp"

namespace attention::self_attention::tests {

inline constexpr Kind all_kinds[] = {Kind::full, Kind::causal, Kind::window};

inline Problem sample(Kind kind, const std::string& shape, Positions positions = Positions::none, std::uint64_t seed = 7) {
  Problem p = make(kind, ladder::parse_shape(shape, mechanism(kind).keys), seed, ladder::Hardness::plain);
  p.positions = positions;
  return p;
}

template <class T>
float largest_difference(const T& a, const T& b) {
  float largest = a.size() == b.size() ? 0 : std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < std::min<std::size_t>(a.size(), b.size()); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/// Runs the body for every rung, with two threads.
template <class Body>
void for_every_rung(Body body) {
  machine::use_threads(2);
  for (const auto& rung : mechanism(Kind::full).ladder) {
    INFO(rung.name);
    body(rung);
  }
}

}  // namespace attention::self_attention::tests
