#include <algorithm>
#include <cmath>
#include <vector>

#include "linear_attention.hpp"

namespace attention::self_attention {

namespace {

using Numbers = std::vector<double>;

/// φ, in float64; a query's common factor as in the rungs.
double feature(double x) { return x > 0 ? x + 1 : std::exp(x); }

/// One head, and what its sums were on their way.
struct Head {
  const LinearProblem& p;
  LinearReference& r;
  Index head;
  Numbers largest_sum = Numbers(size(p.dim() * p.value_dim()));    ///< of |S| up to now
  Numbers squares = Numbers(size(p.dim() * p.value_dim()));        ///< Σ φ(k)² v²
  Numbers largest_feature = Numbers(size(p.dim()));                ///< of φ(k_c) up to now
  Numbers phi = Numbers(size(p.dim()));
  double largest_value = 0;
  double largest_key = 0;

  double* state() { return r.state.data() + head * p.dim() * p.value_dim(); }
  double* z() { return r.normalizer.data() + head * p.dim(); }

  /// S ← S + φ(k) vᵀ, z ← z + φ(k).
  void take_in(Index i) {
    const float* k = p.key.data() + (head * p.n() + i) * p.dim();
    const float* v = p.value.data() + (head * p.n() + i) * p.value_dim();
    for (Index x = 0; x < p.value_dim(); ++x)
      if (std::isfinite(v[x])) largest_value = std::max(largest_value, std::abs(static_cast<double>(v[x])));
    for (Index c = 0; c < p.dim(); ++c) {
      const auto entry = static_cast<double>(k[c]);
      if (entry < 0 && std::isfinite(entry)) largest_key = std::max(largest_key, -entry);
      const double phi_k = feature(entry);
      z()[c] += phi_k;
      largest_feature[size(c)] = std::max(largest_feature[size(c)], phi_k);
      double* s = state() + c * p.value_dim();
      double* sum = largest_sum.data() + c * p.value_dim();
      double* square = squares.data() + c * p.value_dim();
      for (Index x = 0; x < p.value_dim(); ++x) {
        const double term = phi_k * static_cast<double>(v[x]);
        s[x] += term;
        sum[x] = std::max(sum[x], std::abs(s[x]));
        square[x] += term * term;
      }
    }
  }

  /// output = Sᵀ φ(q) / (z · φ(q)).
  void ask(Index i) {
    const Index row = head * p.n() + i;
    const float* q = p.query.data() + row * p.dim();
    double* out = r.output.data() + row * p.value_dim();
    const auto shift = static_cast<double>(std::min(*std::max_element(q, q + p.dim()), 0.F));
    std::fill_n(out, p.value_dim(), 0.0);
    Numbers sums(size(p.value_dim()));
    double total = 0;
    double largest_weight = 0;
    for (Index c = 0; c < p.dim(); ++c) {
      const auto entry = static_cast<double>(q[c]);
      const double phi_q = shift < 0 ? std::exp(entry - shift) : feature(entry);
      phi[size(c)] = phi_q;
      total += phi_q * z()[c];
      largest_weight += phi_q * largest_feature[size(c)];
      for (Index x = 0; x < p.value_dim(); ++x) {
        out[x] += phi_q * state()[c * p.value_dim() + x];
        sums[size(x)] += phi_q * largest_sum[size(c * p.value_dim() + x)];
      }
    }
    const double inverse = total == 0 ? 0 : 1 / total;
    double largest_output = 0;
    for (Index x = 0; x < p.value_dim(); ++x) largest_output = std::max(largest_output, std::abs(out[x] *= inverse));
    double query_terms = 0;
    for (Index c = 0; c < p.dim(); ++c) {
      const double* s = state() + c * p.value_dim();
      const double largest = std::abs(*std::max_element(s, s + p.value_dim(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
      query_terms += phi[size(c)] * (4 + std::abs(static_cast<double>(q[c]))) * (largest + largest_output * z()[c]);
    }
    r.output_sums[size(row)] = inverse * *std::ranges::max_element(sums);
    r.concentration[size(row)] = std::min(1., std::sqrt(inverse * largest_weight));
    r.query_terms[size(row)] = inverse * query_terms;
    r.largest_value[size(row)] = largest_value;
    r.largest_key[size(row)] = largest_key;
  }
};

}  // namespace

LinearReference reference(const LinearProblem& p) {
  const std::array<std::size_t, 4> shape{size(p.batch()), size(p.heads()), size(p.n()), size(p.value_dim())};
  LinearReference r;
  r.output = tensor::empty<4, double>(shape);
  r.state = tensor::empty<4, double>({shape[0], shape[1], size(p.dim()), shape[3]});
  r.normalizer = tensor::empty<3, double>({shape[0], shape[1], size(p.dim())});
  r.state.fill(0);
  r.normalizer.fill(0);
  for (Numbers* each : {&r.output_sums, &r.concentration, &r.query_terms, &r.largest_value, &r.largest_key})
    each->resize(size(p.all_heads() * p.n()));
  double state_sums = 0;
  double state_terms = 0;
#pragma omp parallel for reduction(max : state_sums, state_terms) schedule(dynamic)
  for (Index head = 0; head < p.all_heads(); ++head) {
    Head one{p, r, head};
    for (Index i = 0; i < p.n(); ++i) {
      one.take_in(i);
      one.ask(i);
    }
    for (const double sum : one.largest_sum)
      if (std::isfinite(sum)) state_sums = std::max(state_sums, sum);
    for (const double square : one.squares)
      if (std::isfinite(square)) state_terms = std::max(state_terms, std::sqrt(square));
  }
  r.state_sums = state_sums;
  r.state_terms = state_terms;
  return r;
}

}  // namespace attention::self_attention
