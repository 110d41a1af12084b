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
  // Not the rate of reading for what only reads: rungs have been seen to read a tenth faster than the probe does.
  if (from_memory) consider("bandwidth", cost.bytes, std::max(rates.read, rates.copy));
  return roof;
}

}  // namespace attention::ladder
