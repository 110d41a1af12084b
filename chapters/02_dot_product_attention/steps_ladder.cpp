// The steps of the fused rung as a mechanism of their own: so they are checked and timed as all rungs are.
#include <algorithm>

#include "dot_product.hpp"
#include "ladder/publish.hpp"
#include "rungs/rungs.hpp"
#include "rungs/step_rungs.hpp"

namespace attention::dot_product {

namespace {

DotProduct describe() {
  DotProduct m = mechanism();
  const auto fused_rung = *std::ranges::find(m.ladder, "fused", &ladder::Rung<Problem, Output>::name);
  const auto otherwise = [&](const char* name, const char* idea, auto run, auto workspace) {
    auto rung = fused_rung;
    rung.name = name;
    rung.idea = idea;
    rung.run = run;
    rung.workspace = workspace;
    rung.variant = true;
    return rung;
  };
  m.name = "dot_product_steps";
  m.title = "The fused rung, one step otherwise";
  m.standard_shapes = {{"8x2048x64", "heads=8,queries=2048,dim=64", true},
                       {"1x4096x64-causal", "heads=1,queries=4096,dim=64,causal=1"}};
  m.sweeps = {};
  m.ladder = {fused_rung,
              otherwise("packing", "K is interleaved before it is read", packing, packing_workspace),
              otherwise("no_micro_kernel", "products row by row, not in tiles of registers", no_micro_kernel, fused_workspace),
              otherwise("no_blocking", "the scores of all keys are written, then read", no_blocking, no_blocking_workspace),
              otherwise("no_vector_exp", "2^x by the C++ library, number by number", no_vector_exp, fused_workspace),
              otherwise("no_cut_off", "weights below 2^-100 are kept, not taken for 0", no_cut_off, fused_workspace),
              otherwise("no_balance", "each thread has its rows beforehand", no_balance, fused_workspace)};
  return m;
}

}  // namespace

const DotProduct& steps() {
  static const DotProduct description = describe();
  return description;
}

ladder::MechanismPtr steps_mechanism() { return ladder::publish(steps()); }

}  // namespace attention::dot_product
