// Rung 6, simd: sixteen keys side by side, and a tanh for all of them at once.
//
// What changed: std::tanh is a call for each number, with branches for small and large ones. simd::tanh has no branch and works
// on a whole vector. The projected keys are transposed into panels of 64: the loop over hidden then adds two vectors of keys at
// each step, and their sums stay in two registers until the score is done; nothing has to be added across lanes. Both products
// (the projections and weights · V) go through the register-blocked micro-kernel. log2(e) goes into v, since the
// exponential is a power of two.
#include "rungs/stored.hpp"
#include "simd/tanh.hpp"

namespace attention::additive {

namespace {

void panel_scores(const float* a, float, const float* b, float, const float* v, Index hidden, float* scores) {
  for (Index j = 0; j < panel_keys; j += 2 * simd::lanes) {
    simd::Float sum[2] = {};
    for (Index h = 0; h < hidden; ++h)
      simd::unrolled<2>([&](auto x) {
        sum[x] += simd::broadcast(v[h]) * simd::tanh(simd::broadcast(a[h]) + simd::load(b + h * panel_keys + j + x * simd::lanes));
      });
    simd::store(scores + j, sum[0]);
    simd::store(scores + j + simd::lanes, sum[1]);
  }
}

}  // namespace

void simd(const Problem& p, Output& out) { attend_stored<panel_scores>(p, 1, std::numbers::log2e, 0, out); }

std::size_t simd_workspace(const Problem& p) {
  return weights_workspace(p) + (Projections::floats(p) + PaddedValues::floats(p)) * sizeof(float);
}

}  // namespace attention::additive
