#pragma once

#include <cmath>

#include "catch.hpp"
#include "machine/affinity.hpp"

namespace attention::tests {

/// Runs the body for every rung of the mechanism's ladder, with two threads.
template <class Mechanism, class Body>
void for_every_rung(const Mechanism& mechanism, Body body) {
  machine::use_threads(2);
  for (const auto& rung : mechanism.ladder) {
    INFO(rung.name);
    body(rung);
  }
}

/// Largest |a − b| of two tensors of one size; NaN where a difference is one.
template <class Tensor>
float largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.size() == b.size());
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

}  // namespace attention::tests
