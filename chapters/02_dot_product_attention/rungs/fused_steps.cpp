// The fused rung with one of its steps left out at a time, or one put in: what each is worth on this machine.
#include <algorithm>
#include <cmath>

#include "rungs/fused_pass.hpp"
#include "rungs/online_softmax.hpp"
#include "rungs/step_rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::dot_product {

namespace {

/// K is packed although it could be read where it lies: the micro-kernel then follows one pointer, not one a row.
class WithPacking : public BlockArithmetic {
 public:
  bool packs_keys(Index, Index, Index) const override { return true; }
};

/// One key, or one column of V, at a time: each vector of Q or of the weights that is loaded is used once.
class WithoutMicroKernel : public BlockArithmetic {
 public:
  WithoutMicroKernel() : BlockArithmetic(&simd::multiply_interleaved<simd::FloatTerms>, 1) {}
};

/// 2^x by the C++ library, number by number.
struct LibraryPower {
  simd::Float operator()(simd::Float x) const {
    for (int lane = 0; lane < simd::lanes; ++lane) x[lane] = std::exp2(x[lane]);
    return x;
  }
};
class WithLibraryPower : public BlockArithmetic {
 public:
  void softmax(float* scores, Index keys, int vectors, float* m, float* l, float* alpha) const override {
    online_softmax_of_lanes(scores, keys, vectors, m, l, alpha, LibraryPower());
  }
};

/// 2^x down to the least number of float32, 2^-149: as the square of 2^(x/2), which is far from it.
struct WholePower {
  simd::Float operator()(simd::Float x) const {
    const simd::Float root = simd::exp2(x * simd::broadcast(0.5F));
    return root * root;
  }
};
class WithoutCutOff : public BlockArithmetic {
 public:
  void softmax(float* scores, Index keys, int vectors, float* m, float* l, float* alpha) const override {
    online_softmax_of_lanes(scores, keys, vectors, m, l, alpha, WholePower());
  }
};

constexpr Cut unblocked{.blocked = false};
constexpr Cut unbalanced{.balanced = false};

}  // namespace

void packing(const Problem& p, Output& out) { fused_pass(p, out, WithPacking()); }
void no_micro_kernel(const Problem& p, Output& out) { fused_pass(p, out, WithoutMicroKernel()); }
void no_blocking(const Problem& p, Output& out) { fused_pass(p, out, BlockArithmetic(), unblocked); }
void no_vector_exp(const Problem& p, Output& out) { fused_pass(p, out, WithLibraryPower()); }
void no_cut_off(const Problem& p, Output& out) { fused_pass(p, out, WithoutCutOff()); }
void no_balance(const Problem& p, Output& out) { fused_pass(p, out, BlockArithmetic(), unbalanced); }

std::size_t packing_workspace(const Problem& p) { return fused_pass_workspace(p, WithPacking()); }
std::size_t no_blocking_workspace(const Problem& p) { return fused_pass_workspace(p, BlockArithmetic(), unblocked); }

}  // namespace attention::dot_product
