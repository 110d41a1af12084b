#pragma once

#include <string>

#include "ladder/cost.hpp"
#include "machine/roofs.hpp"

namespace attention::ladder {

/// The bound that a problem's cost puts on any rung.
struct Roof {
  std::string kind;   ///< fma, bf16, bandwidth, exp, reciprocal
  double value = 0;   ///< the measured rate, per second
  double seconds = 0; ///< the time that the work takes at that rate
};

/// The roof that binds: of all rates the one that needs the longest for its share of the work.
/// `from_memory`: whether the bytes come from memory (bandwidth then counts) or lie in a cache. `bfloat16`: whether the products
/// are of bfloat16, for which the processor may have a faster instruction.
Roof binding_roof(const Cost& cost, const machine::RoofValues& rates, bool from_memory, bool bfloat16 = false);

}  // namespace attention::ladder
