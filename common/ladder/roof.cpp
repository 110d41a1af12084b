#include "ladder/roof.hpp"

#include <algorithm>

namespace attention::ladder {

Roof binding_roof(const Cost& cost, const machine::RoofValues& rates, bool from_memory, bool bfloat16) {
  const bool by_instruction = bfloat16 && rates.bf16 != rates.fma;
  const double products = by_instruction ? rates.bf16 : rates.fma;
  Roof roof{by_instruction ? "bf16" : "fma", products, cost.flops / products};
  const auto consider = [&roof](const char* kind, double work, double rate) {
    if (work / rate > roof.seconds) roof = {kind, rate, work / rate};
  };
  consider("exp", cost.exps, rates.exp);
  consider("reciprocal", cost.reciprocals, rates.reciprocal);
  if (from_memory) {
    // Reading and writing side by side moves more in all than either alone, but neither can be faster than where it has the memory to itself.
    // A copy reads half of its bytes and writes the other half: so fast each goes in any case.
    const double read = std::max(rates.read, rates.copy / 2), write = std::max(rates.write, rates.copy / 2);
    const double seconds = std::max({(cost.bytes - cost.written) / read, cost.written / write, cost.bytes / std::max(read, rates.copy)});
    consider("bandwidth", cost.bytes, cost.bytes / seconds);
  }
  return roof;
}

}  // namespace attention::ladder
