// Attention as the standard's text has it, one row after the other: product, softcap, mask, softmax, product.
#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/attention_problem.hpp"
#include "simd/storage.hpp"

namespace attention::conformance {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// As `type` holds it.
double rounded(double x, SoftmaxType type) {
  switch (type) {
    case SoftmaxType::float32:
      return static_cast<double>(static_cast<float>(x));
    case SoftmaxType::float16:
      return static_cast<double>(simd::widen(simd::to_float16(static_cast<float>(x))));
    case SoftmaxType::bfloat16:
      return static_cast<double>(simd::widen(simd::to_bfloat16(static_cast<float>(x))));
    case SoftmaxType::float64:
      return x;
  }
  return x;
}

/// One row's way from scores to weights.
class Row {
 public:
  Row(const AttentionProblem& problem, Index b, Index h, Index i)
      : p_(problem),
        b_(b),
        h_(h),
        i_(i),
        key_head_(h / (problem.heads / problem.key_heads)),
        scores_(static_cast<std::size_t>(problem.keys)) {}

  /// scale · q Kᵀ
  void multiply() {
    const float* q = p_.query.row(b_, h_, i_);
    for (Index j = 0; j < p_.keys; ++j) {
      const float* k = p_.key.rows.row(b_, key_head_, j);
      double sum = 0;
      for (Index c = 0; c < p_.dim; ++c) sum += static_cast<double>(q[c]) * static_cast<double>(k[c]);
      at(j) = static_cast<double>(static_cast<float>(sum * static_cast<double>(p_.scale)));
    }
  }

  void cap() {
    if (!(p_.softcap > 0)) return;
    const auto softcap = static_cast<double>(p_.softcap);
    for (double& s : scores_) s = static_cast<double>(static_cast<float>(softcap * std::tanh(s / softcap)));
  }

  /// What is not seen becomes −inf, whatever stood there. Gives |the largest that is added to a key that is seen|.
  float mask() {
    float largest = -infinity;
    for (Index j = 0; j < p_.keys; ++j) {
      if (!p_.sees(b_, h_, i_, j)) {
        at(j) = static_cast<double>(-infinity);
        continue;
      }
      seen_ = true;
      if (!p_.given_mask || !p_.given_mask->added.data) continue;
      const float added = p_.given_mask->added.row(b_, h_, i_)[j];
      at(j) = static_cast<double>(static_cast<float>(at(j)) + added);
      largest = std::max(largest, added);
    }
    return std::isfinite(largest) ? std::abs(largest) : 0;
  }

  /// Over the keys that are seen; without any, zeros.
  void softmax() {
    const SoftmaxType type = p_.softmax_type.value_or(SoftmaxType::float32);
    double largest = static_cast<double>(-infinity);
    for_each_seen([&](Index j) { largest = std::max(largest, at(j) = rounded(at(j), type)); });
    double total = 0;
    for_each_seen([&](Index j) { total += at(j) = rounded(std::exp(rounded(at(j) - largest, type)), type); });
    total = rounded(total, type);
    for (Index j = 0; j < p_.keys; ++j) at(j) = p_.sees(b_, h_, i_, j) ? rounded(at(j) / total, type) : 0;
  }

  /// weights · V into `to`.
  void weigh(float* to) {
    for (Index c = 0; c < p_.value_dim; ++c) {
      double sum = 0;
      for_each_seen([&](Index j) { sum += at(j) * static_cast<double>(p_.value.rows.row(b_, key_head_, j)[c]); });
      to[c] = static_cast<float>(sum);
    }
  }

  void keep(float* to) const {
    std::ranges::transform(scores_, to, [](double s) { return static_cast<float>(s); });
  }

 private:
  double& at(Index j) { return scores_[static_cast<std::size_t>(j)]; }
  void for_each_seen(auto work) {
    if (!seen_) return;
    const KeyRange range = p_.keys_of(b_, i_);
    for (Index j = range.first; j < range.last; ++j)
      if (p_.sees(b_, h_, i_, j)) work(j);
  }

  const AttentionProblem& p_;
  Index b_, h_, i_, key_head_;
  std::vector<double> scores_;
  bool seen_ = false;
};

}  // namespace

PlainAnswer plain_attention(const AttentionProblem& p, bool keep_scores) {
  const Index rows = p.batch * p.heads * p.queries;
  PlainAnswer answer;
  answer.output.resize(static_cast<std::size_t>(rows * p.value_dim));
  if (keep_scores) answer.scores.resize(static_cast<std::size_t>(rows * p.keys));
  const Rows<float> output = p.output_rows(answer.output.data());
  float largest_shift = 0;
#pragma omp parallel for reduction(max : largest_shift) schedule(static)
  for (Index r = 0; r < rows; ++r) {
    const Index b = r / (p.heads * p.queries);
    const Index h = r / p.queries % p.heads;
    const Index i = r % p.queries;
    Row row(p, b, h, i);
    const auto keep = [&](ScoreStage stage) {
      if (keep_scores && stage == p.stage) row.keep(answer.scores.data() + r * p.keys);
    };
    row.multiply();
    keep(ScoreStage::product);
    row.cap();
    keep(ScoreStage::softcap);
    largest_shift = std::max(largest_shift, row.mask());
    keep(ScoreStage::mask);
    row.softmax();
    keep(ScoreStage::softmax);
    row.weigh(output.row(b, h, i));
  }
  answer.largest_shift = largest_shift;
  return answer;
}

}  // namespace attention::conformance
