// Rung 5, simd: a block of the result stays in registers while the sums run, and whole strips are skipped.
//
// What changed: all products, the projections too, go through the micro-kernel of 6 rows × 4 vectors. The unit of the mask is
// now a strip of 6 queries against a panel of keys: a panel that none of the 6 sees is not computed, one that the mask cuts is
// computed whole, and the weights of what is masked are set to 0 before they meet the values. So some 12 + 32 pairs a strip
// are computed for nothing, little beside thousands, much beside a window of 32. The softmax has a vector exponential.
#include <algorithm>
#include <cmath>

#include "rungs/blocks.hpp"
#include "rungs/packing.hpp"
#include "rungs/rungs.hpp"
#include "simd/finite.hpp"

namespace attention::self_attention {

namespace {

using dot_product::round_up;

constexpr Index panel = simd::panel_columns;

/// The keys of every head in panels, transposed; the values with rows of whole panels.
class Packed {
 public:
  Packed(const Problem& p, const Projected& x)
      : p_(p), x_(x), panels_(round_up(p.n(), panel)), padded_(round_up(p.dim(), panel)),
        key_(tensor::empty<2>({heads(), static_cast<std::size_t>(panels_ * p.dim())})),
        value_(tensor::empty<2>({pads() ? heads() : 0, static_cast<std::size_t>(p.n() * padded_)})), finite_(heads()) {}

  /// By one thread for each head.
  void pack(Index b, Index h) {
    const Index stride = p_.heads() * p_.dim();
    const Index at = b * p_.heads() + h;
    dot_product::pack_keys(x_.key + b * p_.n() * stride + h * p_.dim(), stride, p_.n(), p_.dim(), key_.data() + at * panels_ * p_.dim());
    const float* from = x_.value + b * p_.n() * stride + h * p_.dim();
    if (pads()) dot_product::pad_values(from, stride, p_.n(), p_.dim(), panel, value_.data() + at * p_.n() * padded_);
    finite_[static_cast<std::size_t>(at)] = simd::all_finite(from, stride, p_.n(), p_.dim());
  }

  /// The panel that begins with key j.
  const float* key(Index b, Index h, Index j) const { return key_.data() + ((b * p_.heads() + h) * panels_ + j) * p_.dim(); }
  dot_product::Matrix values(Index b, Index h, Index j) const {
    if (pads()) return {value_.data() + ((b * p_.heads() + h) * p_.n() + j) * padded_, padded_};
    return {x_.value + ((b * p_.n() + j) * p_.heads() + h) * p_.dim(), p_.heads() * p_.dim()};
  }
  bool finite(Index b, Index h) const { return finite_[static_cast<std::size_t>(b * p_.heads() + h)] != 0; }
  Index padded() const { return padded_; }

 private:
  bool pads() const { return padded_ != p_.dim(); }
  std::size_t heads() const { return static_cast<std::size_t>(p_.batch() * p_.heads()); }

  const Problem& p_;
  const Projected& x_;
  Index panels_, padded_;
  Tensor<2> key_, value_;
  std::vector<char> finite_;
};

/// to[rows × dim] = weights · V; V's rows are padded to whole panels. Without keys it is 0.
void strip_values(const float* weights, Index stride, Index rows, Index keys, dot_product::Matrix value, Index dim, float* to, Index to_stride) {
  alignas(64) float tile[simd::tile_rows * panel] = {};
  for (Index c = 0; c < dim; c += panel) {
    if (keys > 0)
      simd::multiply_strip_pairwise(rows, keys, dot_product::values_block, weights, stride, value.data + c, value.stride, tile, panel);
    for (Index y = 0; y < rows; ++y) std::copy_n(tile + y * panel, std::min(panel, dim - c), to + y * to_stride + c);
  }
}

/// A block of queries of one head; `scores` holds its rows, each for the keys that the block sees.
void attend_block(const Problem& p, const Projected& x, const Packed& packed, float slope, Index b, Index h, QueryBlock block,
                  tensor::Buffer& scores, Output& out) {
  const Index dim = p.dim();
  const Index row_stride = p.heads() * dim;
  const KeyRange all = keys_of_block(p, block.first, block.count);
  const Index begin = all.first / panel * panel;
  const Index stride = round_up(all.last - begin, panel) + simd::lanes;
  scores.resize(std::max(scores.size(), static_cast<std::size_t>(block.count * stride)));

  for (Index j = begin; j < all.last; j += panel)                       // panels of keys
    for (Index i = 0; i < block.count; i += simd::tile_rows) {          // strips of queries
      const Index height = std::min<Index>(simd::tile_rows, block.count - i);
      const KeyRange seen = keys_of_block(p, block.first + i, height);
      if (j + panel <= seen.first || j >= seen.last) continue;          // wholly masked
      simd::multiply_strip_pairwise(height, dim, score_block, x.query.data() + (b * p.queries() + block.first + i) * row_stride + h * dim,
                                    row_stride, packed.key(b, h, j), panel, scores.data() + i * stride + j - begin, stride);
    }
  for (Index i = 0; i < block.count; i += simd::tile_rows) {
    const Index height = std::min<Index>(simd::tile_rows, block.count - i);
    const KeyRange seen = keys_of_block(p, block.first + i, height);
    const Index keys = seen.last - seen.first;
    float* strip = scores.data() + i * stride + seen.first - begin;
    for (Index y = 0; y < height; ++y)
      out.lse_of(b, h)[block.first + i + y] = masked_softmax(p, slope, block.first + i + y, strip + y * stride, seen.first, keys);
    const dot_product::Matrix value = packed.values(b, h, seen.first);
    float* to = out.output_of(b, h, block.first + i);
    if (packed.finite(b, h)) {
      strip_values(strip, stride, height, keys, value, dim, to, row_stride);
    } else {
      // 0 · NaN is NaN: each row meets zeros where it must not look. The same sums in the same order.
      for (Index y = 0; y < height; ++y) {
        const KeyRange own = p.keys_of(block.first + i + y);
        tensor::Buffer visible(static_cast<std::size_t>(keys * packed.padded()), 0.F);
        for (Index j = own.first; j < own.last; ++j)
          std::copy_n(value.data + (j - seen.first) * value.stride, packed.padded(), visible.data() + (j - seen.first) * packed.padded());
        strip_values(strip + y * stride, stride, 1, keys, {visible.data(), packed.padded()}, dim, to + y * row_stride, row_stride);
      }
    }
    for (Index y = 0; y < height; ++y) {
      const KeyRange own = p.keys_of(block.first + i + y);
      float* weights = out.weights_of(b, h, block.first + i + y);
      const float* from = strip + y * stride - seen.first;
      std::copy(from + own.first, from + own.last, weights);
      std::fill(weights + (own.last - own.first), weights + out.span(), 0.F);
    }
  }
}

}  // namespace

void simd(const Problem& p, Output& out) {
  prepare(p, out, true);
  const Projected x = project(p, blocked_product, true);
  const Slopes slopes(p);
  const std::vector<QueryBlock> blocks = query_blocks(p, simd_queries);
  Packed packed(p, x);
#pragma omp parallel
  {
    tensor::Buffer scores;
#pragma omp for collapse(2) schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h) packed.pack(b, h);
#pragma omp for collapse(3) schedule(dynamic)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.heads(); ++h)
        for (std::size_t turn = 0; turn < blocks.size(); ++turn)  // the longest first
          attend_block(p, x, packed, slopes.of(h), b, h, blocks[blocks.size() - 1 - turn], scores, out);
  }
}

std::size_t simd_workspace(const Problem& p) {
  const Index heads = p.batch() * p.heads();
  const Index padded = round_up(p.dim(), panel);
  const Index floats = heads * (round_up(p.n(), panel) * p.dim() + (padded == p.dim() ? 0 : p.n() * padded));
  return weights_workspace(p) + blocked_product_workspace(p.width(), p.heads() * p.dim()) + static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace attention::self_attention
