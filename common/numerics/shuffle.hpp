#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "numerics/random.hpp"

namespace attention::numerics {

/// All orders alike likely (Fisher and Yates 1938; Durstenfeld 1964).
template <class T>
void shuffle(std::span<T> list, Random& random) {
  for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[static_cast<std::size_t>(random.bits() % i)]);
}

}  // namespace attention::numerics
