#pragma once

#include <string>

#include "every_rung.hpp"
#include "self_attention.hpp"

namespace attention::self_attention::tests {

inline constexpr Kind all_kinds[] = {Kind::full, Kind::causal, Kind::window};

inline Problem sample(Kind kind, const std::string& shape, Positions positions = Positions::none, std::uint64_t seed = 7) {
  const std::string told = shape + ",positions=" + std::to_string(static_cast<int>(positions));
  return make(kind, ladder::parse_shape(told, mechanism(kind).keys), seed, ladder::Hardness::plain);
}

using attention::tests::for_every_rung;
using attention::tests::largest_difference;

/// All kinds have the same rungs.
template <class Body>
void for_every_rung(Body body) {
  for_every_rung(mechanism(Kind::full), body);
}

}  // namespace attention::self_attention::tests
