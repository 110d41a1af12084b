// Rung 4, tiled: a tile of keys stays in the cache while 32 queries pass over it, and tiles that nobody sees are skipped.
//
// What changed: the loops over queries and keys are cut into tiles. A tile of K and V is read from the near cache for 32 queries
// instead of from further away for each. The mask now decides twice: a tile that lies wholly beyond it is never begun, and in
// a tile that it cuts, each row runs from its first to its last visible key. The sums may be reordered (omp simd reduction)
// and are cut into short ones, which loses less precision. The weights W of the projections are taken 16 rows at a time.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "rungs/projection.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

/// Terms that are summed from zero before they are added to a larger sum.
constexpr Index short_sum = 16;

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  const Index tiles = (rows + tiled_queries - 1) / tiled_queries;
#pragma omp parallel
  {
    std::vector<float> part(static_cast<std::size_t>(columns));
#pragma omp for schedule(static)
    for (Index tile = 0; tile < tiles; ++tile) {
      const Index first = tile * tiled_queries;
      const Index last = std::min(rows, first + tiled_queries);
      std::fill(c + first * columns, c + last * columns, 0.F);
      for (Index begin = 0; begin < depth; begin += short_sum)
        for (Index i = first; i < last; ++i) {
          std::fill(part.begin(), part.end(), 0.F);
          for (Index k = begin; k < std::min(begin + short_sum, depth); ++k) {
            const float a_ik = a[i * depth + k];
#pragma omp simd
            for (Index j = 0; j < columns; ++j) part[static_cast<std::size_t>(j)] += a_ik * b[k * columns + j];
          }
          for (Index j = 0; j < columns; ++j) c[i * columns + j] += part[static_cast<std::size_t>(j)];
        }
    }
  }
}

float dot(const float* a, const float* b, Index n) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (Index i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// One row of scores in powers of two becomes 2^(score − largest); gives the sum of these, and the row's log-sum-exp.
struct Total {
  float sum;
  float lse;
};
Total exponentials(float* row, Index n) {
  float largest = -std::numeric_limits<float>::infinity();
  for (Index j = 0; j < n; ++j) largest = std::max(largest, row[j]);
  if (largest == -std::numeric_limits<float>::infinity()) largest = 0;
  double sum = 0;
  for (Index j = 0; j < n; ++j) {
    row[j] = std::exp2(row[j] - largest);
    sum += static_cast<double>(row[j]);
  }
  return {static_cast<float>(sum), static_cast<float>(static_cast<double>(largest) * std::numbers::ln2 + std::log(sum))};
}

/// The part of a tile of keys, first … last − 1, that a query sees.
KeyRange clip(KeyRange seen, Index first, Index last) {
  return {std::clamp(seen.first, first, last), std::clamp(seen.last, first, last)};
}

/// One tile of queries of one head.
class Tile {
 public:
  Tile(const Problem& p, const Projected& x, float slope, Output& out, std::vector<float>& scratch, Index b, Index h, Index first)
      : p_(p), x_(x), out_(out), slope_(slope * std::numbers::log2e_v<float>), b_(b), h_(h), first_(first),
        last_(std::min(p.queries(), first + tiled_queries)), query_(scratch.data()), sum_(query_ + tiled_queries * p.dim()),
        part_(sum_ + p.dim()) {}

  static std::size_t scratch_size(Index dim) { return static_cast<std::size_t>((tiled_queries + 2) * dim); }

  void attend() {
    const Index dim = p_.dim();
    const double factor = p_.scale() * std::numbers::log2e;
    for (Index i = first_; i < last_; ++i) {
      const float* from = x_.query.data() + ((b_ * p_.queries() + i) * p_.heads() + h_) * dim;
      for (Index c = 0; c < dim; ++c) query_[(i - first_) * dim + c] = static_cast<float>(static_cast<double>(from[c]) * factor);
      std::fill_n(out_.output_of(b_, h_, i), dim, 0.F);
    }
    // Both ends of what is seen grow with the query: tiles before and behind are skipped.
    const Index begin = p_.keys_of(first_).first / tiled_keys * tiled_keys;
    const Index end = p_.keys_of(last_ - 1).last;
    for (Index j = begin; j < end; j += tiled_keys) scores(j, std::min(end, j + tiled_keys));
    std::array<Total, tiled_queries> totals;
    for (Index i = first_; i < last_; ++i) {
      const KeyRange seen = p_.keys_of(i);
      const Index count = seen.last - seen.first;
      float* weights = out_.weights_of(b_, h_, i);
      totals[static_cast<std::size_t>(i - first_)] = exponentials(weights, count);
      std::fill(weights + count, weights + out_.span(), 0.F);
    }
    for (Index j = begin; j < end; j += tiled_keys) values(j, std::min(end, j + tiled_keys));
    // Divided last: a weight that is rounded before it is used would be off by as much again.
    for (Index i = first_; i < last_; ++i) {
      const Total& total = totals[static_cast<std::size_t>(i - first_)];
      out_.lse_of(b_, h_)[i] = total.lse;
      const Index count = p_.keys_of(i).last - p_.keys_of(i).first;
      if (count == 0) continue;
      float* output = out_.output_of(b_, h_, i);
      float* weights = out_.weights_of(b_, h_, i);
      for (Index c = 0; c < dim; ++c) output[c] /= total.sum;
      for (Index t = 0; t < count; ++t) weights[t] /= total.sum;
    }
  }

 private:
  const float* row_of(const float* matrix, Index j) const { return matrix + ((b_ * p_.n() + j) * p_.heads() + h_) * p_.dim(); }

  void scores(Index tile_first, Index tile_last) {
    for (Index i = first_; i < last_; ++i) {
      const KeyRange seen = p_.keys_of(i);
      const KeyRange here = clip(seen, tile_first, tile_last);
      float* to = out_.weights_of(b_, h_, i) - seen.first;
      for (Index j = here.first; j < here.last; ++j)
        to[j] = dot(query_ + (i - first_) * p_.dim(), row_of(x_.key, j), p_.dim()) + distance_bias(slope_, j, p_.position(i));
    }
  }

  void values(Index tile_first, Index tile_last) {
    const Index dim = p_.dim();
    for (Index i = first_; i < last_; ++i) {
      const KeyRange seen = p_.keys_of(i);
      const KeyRange here = clip(seen, tile_first, tile_last);
      const float* weights = out_.weights_of(b_, h_, i) - seen.first;
      float* output = out_.output_of(b_, h_, i);
      std::fill(sum_, sum_ + dim, 0.F);
      for (Index begin = here.first; begin < here.last; begin += short_sum) {
        std::fill(part_, part_ + dim, 0.F);
        for (Index j = begin; j < std::min(begin + short_sum, here.last); ++j) {
          const float weight = weights[j];
          const float* value = row_of(x_.value, j);
#pragma omp simd
          for (Index c = 0; c < dim; ++c) part_[c] += weight * value[c];
        }
        for (Index c = 0; c < dim; ++c) sum_[c] += part_[c];
      }
      for (Index c = 0; c < dim; ++c) output[c] += sum_[c];
    }
  }

  const Problem& p_;
  const Projected& x_;
  Output& out_;
  float slope_;  // in powers of two, as the scores
  Index b_, h_, first_, last_;
  float *query_, *sum_, *part_;
};

}  // namespace

void tiled(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Projected x = project(p, product, true);
  const Slopes slopes(p);
  const Index tiles = (p.queries() + tiled_queries - 1) / tiled_queries;
#pragma omp parallel
  {
    std::vector<float> scratch(Tile::scratch_size(p.dim()));
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        // The last tile of a head first: with a causal mask it is the longest.
        for (Index turn = 0; turn < tiles; ++turn)
          Tile(p, x, slopes.of(h), out, scratch, b, h, (tiles - 1 - turn) * tiled_queries).attend();
  }
}

}  // namespace attention::self_attention
