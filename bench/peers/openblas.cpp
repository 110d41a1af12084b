// The peer "openblas": what one gets from a library of matrix products, written as well as that can be done.
// Q Kᵀ and P V are OpenBLAS's, for a block of rows at a time so that the scores stay in the cache; the
// softmax between them is our vector 2^x. With the argument "whole" a block is all rows of a head, as it is
// most often written: "openblas_whole".
//
// Threads take (head, block) pairs, the longest first when causal, and each calls OpenBLAS on its own: inside
// a parallel region its OpenMP build uses one thread. Causal blocks compute only the columns that some row of
// theirs sees.
#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "attention_problem.hpp"
#include "machine/build_info.hpp"
#include "machine/caches.hpp"
#include "simd/exp2.hpp"

namespace {

using namespace attention;
using peers::Index;
using peers::Keys;
using peers::AttentionProblem;

/// scores := 2^(scores − largest) over the columns that are seen, 0 over the others; gives the sum. Scores
/// are in powers of two. `low` … `low + columns` are the keys in the row; none seen: all 0, and the sum 0.
float softmax_numerators(float* scores, Index low, Index columns, Keys seen) {
  const Index first = std::clamp<Index>(seen.first - low, 0, columns);
  const Index last = std::clamp<Index>(seen.last - low, first, columns);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  std::fill(scores, scores + first, -infinity);
  std::fill(scores + last, scores + columns, -infinity);
  if (first == last) {
    std::fill(scores, scores + columns, 0.F);
    return 0;
  }
  // The ragged end is worked on in a copy, padded with −inf whose power is 0.
  const Index whole = columns / simd::lanes * simd::lanes;
  alignas(64) float end[simd::lanes];
  std::fill(end, end + simd::lanes, -infinity);
  std::copy(scores + whole, scores + columns, end);
  // Two chains each, since one would wait for the latency of its own instruction.
  simd::Float largest[2] = {simd::load(end), simd::broadcast(-infinity)};
  Index j = 0;
  for (; j + 2 * simd::lanes <= whole; j += 2 * simd::lanes) {
    largest[0] = simd::max(simd::load(scores + j), largest[0]);
    largest[1] = simd::max(simd::load(scores + j + simd::lanes), largest[1]);
  }
  if (j < whole) largest[1] = simd::max(simd::load(scores + j), largest[1]);
  const simd::Float m = simd::broadcast(simd::maximum(simd::max(largest[0], largest[1])));

  simd::Float total[2] = {simd::exp2(simd::load(end) - m), {}};
  simd::store(end, total[0]);
  for (j = 0; j + 2 * simd::lanes <= whole; j += 2 * simd::lanes) {
    const simd::Float a = simd::exp2(simd::load(scores + j) - m);
    const simd::Float b = simd::exp2(simd::load(scores + j + simd::lanes) - m);
    simd::store(scores + j, a);
    simd::store(scores + j + simd::lanes, b);
    total[0] += a;
    total[1] += b;
  }
  if (j < whole) {
    const simd::Float a = simd::exp2(simd::load(scores + j) - m);
    simd::store(scores + j, a);
    total[1] += a;
  }
  std::copy(end, end + (columns - whole), scores + whole);
  return simd::sum(total[0] + total[1]);
}

class OpenBlas final : public peers::Library {
 public:
  OpenBlas(AttentionProblem problem, bool whole) : p_(std::move(problem)) {
    masked_ = p_.queries > 1 && (p_.causal || p_.window > 0);
    heads_ = masked_ ? p_.all_heads() : p_.batch * p_.kv_heads;
    rows_ = p_.all_heads() * p_.queries / heads_;
    std::vector<Index> ways;
    if (whole) {
      ways = {rows_};
    } else {
      for (const Index rows : {64, 96, 128, 192, 256, 384, 512})
        if (ways.empty() || rows < 2 * rows_) ways.push_back(std::min<Index>(rows, rows_));
    }
    const double needed = 4. * static_cast<double>(p_.threads) * static_cast<double>(ways.back()) *
                          static_cast<double>(p_.keys);
    if (needed > 0.5 * static_cast<double>(machine::memory().available_bytes))
      throw peers::Unsupported("its scores do not fit");
    scores_.resize(static_cast<std::size_t>(p_.threads));
    for (tensor::Buffer& scores : scores_) scores.resize(static_cast<std::size_t>(ways.back() * p_.keys));
    block_ = ways.front();
    if (ways.size() == 1) return;
    tensor::Buffer output(static_cast<std::size_t>(heads_ * rows_ * p_.value_dim));
    const std::size_t best = peers::fastest(ways.size(), 3, [&](std::size_t way) {
      block_ = ways[way];
      run(0, output.data());
    });
    block_ = ways[best];
  }

  int threads() const override { return p_.threads; }
  std::size_t copies() const override { return p_.copies(); }
  std::array<Index, 4> output_shape() const override { return p_.output_shape(); }
  std::string version() const override { return "OpenBLAS " + machine::openblas()->version; }
  std::string kernel() const override {
    const machine::OpenBlas library = *machine::openblas();
    return library.core + " (" + library.parallel + "), " +
           (block_ == rows_ ? "all rows of a head" : "blocks of " + std::to_string(block_) + " rows") +
           (masked_ ? ", columns trimmed" : "") + ", vector 2^x";
  }

  void run(std::size_t turn, float* output) override {
    const Index blocks = (rows_ + block_ - 1) / block_;
    const Index items = blocks * heads_;
    // Fewer items than threads: then a product is shared among the threads.
    const bool alone = items >= p_.threads;
#pragma omp parallel for schedule(dynamic) num_threads(p_.threads) if (alone)
    for (Index item = 0; item < items; ++item) {
      // The last rows of a head see the most keys when causal.
      const Index block = blocks - 1 - item / heads_;
      attend(turn, item % heads_, block * block_, std::min(block_, rows_ - block * block_), output);
    }
  }

 private:
  /// The keys that row i of a head sees.
  Keys keys_of(Index i) const { return p_.keys_of(masked_ ? i : p_.queries - 1); }

  void attend(std::size_t turn, Index head, Index first, Index rows, float* output) {
    // Both ends of what a row sees grow with the row.
    const Index low = keys_of(first).first;
    const Index high = keys_of(first + rows - 1).last;
    float* to = output + (head * rows_ + first) * p_.value_dim;
    if (low >= high) {
      std::fill(to, to + rows * p_.value_dim, 0.F);
      return;
    }
    const Index columns = high - low;
    const Index any_head = head * (p_.all_heads() / heads_);  // of those that share these keys
    const float* query = p_.query[turn].data() + (head * rows_ + first) * p_.dim;
    const float* key = p_.key_of(turn, any_head) + low * p_.dim;
    const float* value = p_.value_of(turn, any_head) + low * p_.value_dim;
    float* scores = scores_[static_cast<std::size_t>(omp_get_thread_num())].data();
    const auto n = [](Index size) { return static_cast<blasint>(size); };
    const float scale = p_.scale * std::numbers::log2e_v<float>;
    // A single row is a product with a vector: no matrix is packed for it.
    if (rows == 1)
      cblas_sgemv(CblasRowMajor, CblasNoTrans, n(columns), n(p_.dim), scale, key, n(p_.dim), query, 1, 0.F,
                  scores, 1);
    else
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n(rows), n(columns), n(p_.dim), scale, query,
                  n(p_.dim), key, n(p_.dim), 0.F, scores, n(columns));
    std::vector<float> l(static_cast<std::size_t>(rows));
    for (Index i = 0; i < rows; ++i)
      l[static_cast<std::size_t>(i)] =
          softmax_numerators(scores + i * columns, low, columns, keys_of(first + i));
    if (rows == 1)
      cblas_sgemv(CblasRowMajor, CblasTrans, n(columns), n(p_.value_dim), 1.F, value, n(p_.value_dim), scores,
                  1, 0.F, to, 1);
    else
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n(rows), n(p_.value_dim), n(columns), 1.F,
                  scores, n(columns), value, n(p_.value_dim), 0.F, to, n(p_.value_dim));
    for (Index i = 0; i < rows; ++i) {
      const float l_i = l[static_cast<std::size_t>(i)];
      const float share = l_i == 0 ? 0 : 1 / l_i;
      for (Index c = 0; c < p_.value_dim; ++c) to[i * p_.value_dim + c] *= share;
    }
  }

  const AttentionProblem p_;
  bool masked_ = false;
  Index heads_ =
      1;  ///< matrices of queries: heads that share keys are one, but where a mask tells their rows apart
  Index rows_ = 1;                      ///< of such a matrix
  Index block_ = 1;                     ///< rows at a time
  std::vector<tensor::Buffer> scores_;  ///< of each thread
};

}  // namespace

int main(int argc, char** argv) {
  const bool whole = argc > 1 && std::string(argv[1]) == "whole";
  return peers::serve({{"dot_product", [whole](const Json& open) {
                          return std::make_unique<OpenBlas>(peers::read_attention(open), whole);
                        }}});
}
