// The fused rung with one of its steps left out at a time: what each is worth on this machine.
#include <algorithm>
#include <cmath>

#include "rungs/fused_pass.hpp"
#include "rungs/online_softmax.hpp"
#include "rungs/step_rungs.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::dot_product {

namespace {

/// K is read where it lies. A score is then a sum along a row of Q and a row of K, lane beside lane, and the lanes have to be
/// added up for each score; tiles of 4 × 4 scores still share their loads.
class WithoutPacking : public BlockArithmetic {
 public:
  Matrix pack_keys(Matrix key, Index, Index, float*, float*) const override { return key; }

  void scores(Matrix query, Index rows, Matrix key, Index keys, Index dim, float* scores, Index stride) const override {
    for (Index i = 0; i < rows; i += tile)
      for (Index j = 0; j < keys; j += tile) {
        float* to = scores + i * stride + j;
        if (i + tile <= rows && j + tile <= keys)
          dots<tile>(query.from_row(i), key.from_row(j), dim, to, stride);
        else
          for (Index y = 0; y < std::min(tile, rows - i); ++y)
            for (Index x = 0; x < std::min(tile, keys - j); ++x)
              dots<1>(query.from_row(i + y), key.from_row(j + x), dim, to + y * stride + x, stride);
      }
  }

 private:
  static constexpr Index tile = 4;

  /// scores[y][x] = q_y · k_x for a square of Size × Size.
  template <int Size>
  static void dots(Matrix query, Matrix key, Index dim, float* scores, Index stride) {
    simd::Float sum[Size][Size] = {};
    Index c = 0;
    for (; c + simd::lanes <= dim; c += simd::lanes) {
      simd::Float k[Size];
      simd::unrolled<Size>([&](auto x) { k[x] = simd::load(key.from_row(x).data + c); });
      simd::unrolled<Size>([&](auto y) {
        const simd::Float q = simd::load(query.from_row(y).data + c);
        simd::unrolled<Size>([&](auto x) { sum[y][x] += q * k[x]; });
      });
    }
    simd::unrolled<Size>([&](auto y) {
      simd::unrolled<Size>([&](auto x) {
        float total = simd::sum(sum[y][x]);
        for (Index rest = c; rest < dim; ++rest) total += query.from_row(y).data[rest] * key.from_row(x).data[rest];
        scores[y * stride + x] = total;
      });
    });
  }
};

/// One query at a time: each vector of K or V that is loaded is used once.
class WithoutMicroKernel : public BlockArithmetic {
 public:
  WithoutMicroKernel() : BlockArithmetic(simd::strip_kernels<simd::FloatTerms>(), 1) {}
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
  float softmax(float* row, Index keys, float& m_i, float& l_i) const override {
    return online_softmax(row, keys, m_i, l_i, LibraryPower());
  }
};

constexpr Cut unblocked{.blocked = false};
constexpr Cut unbalanced{.balanced = false};

}  // namespace

void no_packing(const Problem& p, Output& out) { fused_pass(p, out, WithoutPacking()); }
void no_micro_kernel(const Problem& p, Output& out) { fused_pass(p, out, WithoutMicroKernel()); }
void no_blocking(const Problem& p, Output& out) { fused_pass(p, out, BlockArithmetic(), unblocked); }
void no_vector_exp(const Problem& p, Output& out) { fused_pass(p, out, WithLibraryPower()); }
void no_balance(const Problem& p, Output& out) { fused_pass(p, out, BlockArithmetic(), unbalanced); }

std::size_t no_packing_workspace(const Problem& p) { return fused_pass_workspace(p, WithoutPacking()); }
std::size_t no_blocking_workspace(const Problem& p) { return fused_pass_workspace(p, BlockArithmetic(), unblocked); }

}  // namespace attention::dot_product
