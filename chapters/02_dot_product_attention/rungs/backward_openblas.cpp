// Beside the ladder, openblas: the five products by the library that NumPy and SciPy call, over blocks of 256
// keys and all queries that see one of them; the exponential is the vector one of rung 5. Heads share the
// threads; each product runs on one.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "rungs/backward_rungs.hpp"
#include "simd/exp2.hpp"

#ifdef ATTENTION_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace attention::dot_product {

namespace {

constexpr Index block_keys = 256;

#ifdef ATTENTION_HAS_OPENBLAS
/// P = exp(S − lse), and dS = P ∘ (dP − D), of one row, in place.
void finish_row(float* scores, float* gradients, Index n, float lse, float delta) {
  const auto in_twos = static_cast<float>(static_cast<double>(lse) * std::numbers::log2e);
  Index j = 0;
  for (; j + simd::lanes <= n; j += simd::lanes) {
    const simd::Float weight =
        simd::exp2(simd::load(scores + j) * simd::broadcast(simd::log2_e) - simd::broadcast(in_twos));
    simd::store(scores + j, weight);
    simd::store(gradients + j, weight * (simd::load(gradients + j) - simd::broadcast(delta)));
  }
  for (; j < n; ++j) {
    scores[j] = std::exp(scores[j] - lse);
    gradients[j] = scores[j] * (gradients[j] - delta);
  }
}

void one_head(const BackwardProblem& p, Index head, float* weights, float* gradients, BackwardOutput& out) {
  const auto dim = static_cast<blasint>(p.dim());
  const auto value_dim = static_cast<blasint>(p.value_dim());
  std::fill_n(out.query_gradient_of(head), p.queries() * p.dim(), 0.F);
  std::fill_n(out.key_gradient_of(head), p.keys() * p.dim(), 0.F);
  std::fill_n(out.value_gradient_of(head), p.keys() * p.value_dim(), 0.F);
  for (Index first = 0; first < p.keys(); first += block_keys) {  // blocks of keys
    const Index last = std::min(first + block_keys, p.keys());
    const Index begin = queries_of(p.mask, first, p.queries(), p.keys()).first;
    const Index end = queries_of(p.mask, last - 1, p.queries(), p.keys()).last;
    if (begin >= end) continue;
    const auto rows = static_cast<blasint>(end - begin);
    const auto keys = static_cast<blasint>(last - first);
    const float* query = p.query_of(head) + begin * p.dim();
    const float* gradient = p.output_gradient_of(head) + begin * p.value_dim();
    const float* key = p.key_of(head) + first * p.dim();
    const float* value = p.value_of(head) + first * p.value_dim();

    // S and dP
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, dim, p.scale, query, dim, key, dim, 0.F,
                weights, keys);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, keys, value_dim, 1.F, gradient, value_dim,
                value, value_dim, 0.F, gradients, keys);
    // P and dS
    for (Index i = begin; i < end; ++i) {
      float* weight = weights + (i - begin) * keys;
      float* score_gradient = gradients + (i - begin) * keys;
      float delta = 0;
      for (Index c = 0; c < p.value_dim(); ++c)
        delta += p.output_gradient_of(head)[i * p.value_dim() + c] * p.output_of(head)[i * p.value_dim() + c];
      finish_row(weight, score_gradient, keys, p.lse_of(head)[i], delta);
      const KeyRange seen = within(p.keys_of(i), first, last - first);
      for (float* row : {weight, score_gradient}) {
        std::fill(row, row + seen.first, 0.F);
        std::fill(row + seen.last, row + keys, 0.F);
      }
    }
    // dV = Pᵀ dO, dK = scale · dSᵀ Q, dQ += scale · dS K
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, keys, value_dim, rows, 1.F, weights, keys, gradient,
                value_dim, 0.F, out.value_gradient_of(head) + first * p.value_dim(), value_dim);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, keys, dim, rows, p.scale, gradients, keys, query,
                dim, 0.F, out.key_gradient_of(head) + first * p.dim(), dim);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, dim, keys, p.scale, gradients, keys, key,
                dim, 1.F, out.query_gradient_of(head) + begin * p.dim(), dim);
  }
}
#endif

Index floats_of_one(const BackwardProblem& p) { return p.queries() * std::min(block_keys, p.keys()); }

}  // namespace

#ifdef ATTENTION_HAS_OPENBLAS
void backward_openblas(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
#pragma omp parallel
  {
    tensor::Buffer weights(static_cast<std::size_t>(floats_of_one(p)));
    tensor::Buffer gradients(static_cast<std::size_t>(floats_of_one(p)));
#pragma omp for schedule(dynamic)
    for (Index head = 0; head < p.all_heads(); ++head)
      one_head(p, head, weights.data(), gradients.data(), out);
  }
}
#endif

std::size_t backward_openblas_workspace(const BackwardProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads() * 2 * floats_of_one(p)) * sizeof(float);
}

}  // namespace attention::dot_product
