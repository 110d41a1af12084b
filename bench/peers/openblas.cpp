// The peer "openblas": what one gets from a library of matrix products, written as well as that can be done. Q Kᵀ and P V are
// OpenBLAS's, for a block of rows at a time so that the scores stay in the cache; the softmax between them is our vector 2^x.
// With the argument "whole" a block is all rows of a head, as it is most often written: "openblas_whole".
//
// Threads take (head, block) pairs, the longest first when causal, and each calls OpenBLAS on its own: inside a parallel
// region its OpenMP build uses one thread. Causal blocks compute only the columns that some row of theirs sees.
#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "machine/build_info.hpp"
#include "serve.hpp"
#include "simd/exp2.hpp"

namespace {

using namespace attention;
using peers::Index;
using peers::Keys;
using peers::Problem;

/// scores := 2^(scores − largest) over the columns that are seen, 0 over the others; gives the sum. Scores are in powers of
/// two. `low` … `low + columns` are the keys in the row; none seen: all 0, and the sum 0.
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
  OpenBlas(const Problem& problem, bool whole) : p_(problem), whole_(whole) {
    std::vector<Index> ways;
    if (whole) {
      ways = {p_.queries};
    } else {
      for (const Index rows : {64, 96, 128, 192, 256, 384, 512})
        if (ways.empty() || rows < 2 * p_.queries) ways.push_back(std::min(rows, p_.queries));
    }
    const double needed = 4. * static_cast<double>(p_.threads) * static_cast<double>(ways.back()) * static_cast<double>(p_.keys);
    if (needed > 4e9) throw peers::Unsupported("its scores take " + std::to_string(static_cast<int>(needed / 1e9)) + " GB");
    scores_.resize(static_cast<std::size_t>(p_.threads));
    for (tensor::Buffer& scores : scores_) scores.resize(static_cast<std::size_t>(ways.back() * p_.keys));
    if (ways.size() > 1) {
      tensor::Buffer output(static_cast<std::size_t>(p_.all_heads() * p_.queries * p_.value_dim));
      rows_ = ways[peers::fastest(ways.size(), 3, [&](std::size_t way) {
        rows_ = ways[way];
        run(0, output.data());
      })];
    } else {
      rows_ = ways[0];
    }
  }

  std::string version() const override { return "OpenBLAS " + machine::openblas()->version; }
  std::string kernel() const override {
    const machine::OpenBlas library = *machine::openblas();
    return library.core + " (" + library.parallel + "), " +
           (whole_ ? "whole heads" : "blocks of " + std::to_string(rows_) + " rows") + ", columns trimmed, vector 2^x";
  }

  void run(std::size_t turn, float* output) override {
    const Index blocks = (p_.queries + rows_ - 1) / rows_;
    const Index items = blocks * p_.all_heads();
    // Fewer items than threads: then a product is shared among the threads.
    const bool alone = items >= p_.threads;
#pragma omp parallel for schedule(dynamic) num_threads(p_.threads) if (alone)
    for (Index item = 0; item < items; ++item) {
      // The last rows of a head see the most keys when causal.
      const Index block = blocks - 1 - item / p_.all_heads();
      attend(turn, item % p_.all_heads(), block * rows_, std::min(rows_, p_.queries - block * rows_), output);
    }
  }

 private:
  void attend(std::size_t turn, Index head, Index first, Index rows, float* output) {
    // Both ends of what a row sees grow with the row.
    const Index low = p_.keys_of(first).first;
    const Index high = p_.keys_of(first + rows - 1).last;
    float* to = output + (head * p_.queries + first) * p_.value_dim;
    if (low >= high) {
      std::fill(to, to + rows * p_.value_dim, 0.F);
      return;
    }
    const Index columns = high - low;
    float* scores = scores_[static_cast<std::size_t>(omp_get_thread_num())].data();
    const auto n = [](Index size) { return static_cast<blasint>(size); };
    constexpr auto log2_e = std::numbers::log2e_v<float>;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n(rows), n(columns), n(p_.dim), p_.scale * log2_e,
                p_.query_of(turn, head) + first * p_.dim, n(p_.dim), p_.key_of(turn, head) + low * p_.dim, n(p_.dim), 0.F, scores,
                n(columns));
    float total[512];
    std::vector<float> more(rows > 512 ? static_cast<std::size_t>(rows) : 0);
    float* l = rows > 512 ? more.data() : total;
    for (Index i = 0; i < rows; ++i) l[i] = softmax_numerators(scores + i * columns, low, columns, p_.keys_of(first + i));
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n(rows), n(p_.value_dim), n(columns), 1.F, scores, n(columns),
                p_.value_of(turn, head) + low * p_.value_dim, n(p_.value_dim), 0.F, to, n(p_.value_dim));
    for (Index i = 0; i < rows; ++i) {
      const float share = l[i] > 0 ? 1 / l[i] : (std::isnan(l[i]) ? l[i] : 0);
      for (Index c = 0; c < p_.value_dim; ++c) to[i * p_.value_dim + c] *= share;
    }
  }

  const Problem& p_;
  bool whole_;
  Index rows_ = 0;
  std::vector<tensor::Buffer> scores_;  ///< of each thread
};

}  // namespace

int main(int argc, char** argv) {
  const bool whole = argc > 1 && std::string(argv[1]) == "whole";
  return peers::serve([whole](const Problem& problem) { return std::make_unique<OpenBlas>(problem, whole); });
}
