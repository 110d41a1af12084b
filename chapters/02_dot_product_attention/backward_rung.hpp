#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "backward.hpp"

namespace attention::dot_product {

/// The backward rung of that name, for later chapters whose rungs put it into their heads. Throws std::invalid_argument
/// where there is none.
inline const auto& backward_rung(std::string_view name) {
  const auto& ladder = backward().ladder;
  const auto found = std::ranges::find(ladder, name, [](const auto& rung) { return rung.name; });
  if (found == ladder.end()) throw std::invalid_argument("no backward rung " + std::string(name));
  return *found;
}

}  // namespace attention::dot_product
