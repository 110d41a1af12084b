// Rung 5, fused: each tile of queries × keys is computed once, serves all five products, and is forgotten.
//
// What changed: everything goes through the register-blocked micro-kernel, and nothing is transposed that is
// as large as a tile. The scores are computed transposed, Sᵀ = K Qᵀ, keys down and queries across. Then, of
// the five products
//
//     Sᵀ  = K Qᵀ     dPᵀ = V dOᵀ       read K and V in place, and Qᵀ and dOᵀ packed once a block of queries
//     dV += Pᵀ dO    dK += dSᵀ Q       read the tile row by row, and Q and dO in panels
//     dQᵀ += Kᵀ dSᵀ                    reads the tile by panels, and Kᵀ
//
// every one finds its left factor in rows and its right factor in panels, as the kernel wants them; only dQ
// comes out transposed, and is turned round once a block of queries. P and dS take their last steps while one
// register tile of them is in the nearest cache: P = 2^(S − lse), S and lse in powers of two; dS = P ∘ (dP − D).
//
// With lse from forward there is no maximum to find and nothing to correct: a tile does not need to know of
// any other.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "rungs/backward_part.hpp"
#include "rungs/backward_rungs.hpp"
#include "rungs/packing.hpp"
#include "simd/exp2.hpp"
#include "simd/finite.hpp"

namespace attention::dot_product {

namespace {

constexpr Index panel = simd::panel_columns;
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Height of the strips when `rows` rows are cut into as few equal ones as the kernel's height allows: a last
/// strip of a few rows would not fill the registers.
Index strip_height(Index rows) {
  const Index strips = (rows + simd::tile_rows - 1) / simd::tile_rows;
  return (rows + strips - 1) / strips;
}

/// rows × columns, side by side, becomes panels [panel][row][column] whose panels are `height` rows apart;
/// zeros fill the last.
void pack_columns(const float* from, Index rows, Index columns, Index height, float* to) {
  for (Index c = 0; c < columns; c += panel) {
    const Index width = std::min(panel, columns - c);
    for (Index i = 0; i < rows; ++i) {
      float* row = to + c * height + i * panel;
      std::copy_n(from + i * columns + c, width, row);
      std::fill(row + width, row + panel, 0.F);
    }
  }
}

/// c[rows × panel] = or += a[rows × depth] · b, in strips of equal height.
template <simd::Into into>
void multiply(Index rows, Index depth, Index block, const float* a, Index a_stride, const float* b,
              Index b_stride, float* c, Index c_stride) {
  const Index height = strip_height(rows);
  for (Index y = 0; y < rows; y += height)
    simd::multiply_strip<into>(std::min(height, rows - y), depth, block, a + y * a_stride, a_stride, b,
                               b_stride, c + y * c_stride, c_stride);
}

/// Of a block of keys, turned round: its rows are as long, and a little more.
Index transposed_stride(const BackwardBlocks& blocks) { return blocks.keys + simd::lanes; }

/// Of all blocks of a part.
Index transposed_floats(const BackwardBlocks& blocks, Index keys, Index dim) {
  return (keys + blocks.keys - 1) / blocks.keys * transposed_stride(blocks) * dim;
}

}  // namespace

BackwardBlocks::BackwardBlocks(const BackwardProblem& p)
    : queries(std::min(backward_block_queries, round_up(p.queries(), panel))),
      keys(std::min(backward_block_keys, p.keys())),
      stride(queries + simd::lanes) {}

BackwardPart::BackwardPart(const BackwardProblem& p, Index most_keys)
    : p_(p),
      blocks_(p),
      padded_dim_(round_up(p.dim(), panel)),
      padded_value_dim_(round_up(p.value_dim(), panel)),
      query_columns_(size(blocks_.queries * padded_dim_)),
      query_transposed_(size(blocks_.queries * p.dim())),
      gradient_columns_(size(blocks_.queries * padded_value_dim_)),
      gradient_transposed_(size(blocks_.queries * p.value_dim())),
      lse_(size(blocks_.queries)),
      delta_(size(blocks_.queries)),
      query_gradient_(size(blocks_.queries * p.dim())),
      weights_(size(blocks_.keys * blocks_.stride)),
      score_gradient_(size(blocks_.keys * blocks_.stride)),
      key_transposed_(size(transposed_floats(blocks_, most_keys, p.dim()))),
      key_gradient_(size(most_keys * padded_dim_)),
      value_gradient_(size(most_keys * padded_value_dim_)) {}

std::size_t BackwardPart::bytes(const BackwardProblem& p, Index most_keys) {
  const BackwardBlocks b(p);
  const Index padded = round_up(p.dim(), panel) + round_up(p.value_dim(), panel);
  return sizeof(float) *
         size(b.queries * (padded + 2 * p.dim() + p.value_dim() + 2) +
              transposed_floats(b, most_keys, p.dim()) + 2 * b.keys * b.stride + most_keys * padded);
}

void BackwardPart::run(Index head, KeyRange part, float* query_gradient, BackwardOutput& out) {
  head_ = head;
  std::fill(key_gradient_.begin(), key_gradient_.end(), 0.F);
  std::fill(value_gradient_.begin(), value_gradient_.end(), 0.F);
  for (Index j = part.first; j < part.last; j += blocks_.keys)
    simd::transpose(
        p_.key_of(head) + j * p_.dim(), p_.dim(), std::min(blocks_.keys, part.last - j), p_.dim(),
        key_transposed_.data() + (j - part.first) / blocks_.keys * transposed_stride(blocks_) * p_.dim(),
        transposed_stride(blocks_));
  for (Index i = 0; i < p_.queries(); i += blocks_.queries) {  // blocks of queries
    const Index rows = std::min(blocks_.queries, p_.queries() - i);
    const Index first = std::max(part.first, p_.keys_of(i).first);
    const Index last = std::min(part.last, p_.keys_of(i + rows - 1).last);
    std::fill(query_gradient_.begin(), query_gradient_.end(), 0.F);
    if (first < last) {
      pack_queries(i, rows);
      // Blocks start where they start for every block of queries: the order of a sum shall not depend on what
      // a mask hides.
      const Index begin = part.first + (first - part.first) / blocks_.keys * blocks_.keys;
      for (Index j = begin; j < last; j += blocks_.keys)  // blocks of keys
        tile(rows, {j, std::min(j + blocks_.keys, part.last)}, part);
    }
    write_query_gradient(rows, query_gradient + i * p_.dim());
  }
  write_key_gradients(part, out);
}

void BackwardPart::pack_queries(Index first, Index rows) {
  first_query_ = first;
  const Index dim = p_.dim();
  const Index value_dim = p_.value_dim();
  const float* query = p_.query_of(head_) + first * dim;
  const float* gradient = p_.output_gradient_of(head_) + first * value_dim;
  const float* output = p_.output_of(head_) + first * value_dim;
  finite_queries_ = simd::all_finite(query, dim, rows, dim) && simd::all_finite(gradient, value_dim, rows, value_dim);

  pack_columns(query, rows, dim, blocks_.queries, query_columns_.data());
  pack_columns(gradient, rows, value_dim, blocks_.queries, gradient_columns_.data());
  pack_keys(query, dim, rows, dim, query_transposed_.data());
  pack_keys(gradient, value_dim, rows, value_dim, gradient_transposed_.data());
  // Q · scale · log2(e): exponentials are powers of two. In float64, since the factor's rounding would shift
  // all scores together.
  const double factor = static_cast<double>(p_.scale) * std::numbers::log2e;
  for (Index x = 0; x < round_up(rows, panel) * dim; ++x) {
    float& q = query_transposed_[size(x)];
    q = static_cast<float>(static_cast<double>(q) * factor);
  }
  for (Index i = 0; i < blocks_.queries; ++i) {
    // Where there is no query: 2^(0 − ∞) = 0.
    lse_[size(i)] = infinity;
    delta_[size(i)] = 0;
    if (i >= rows) continue;
    lse_[size(i)] =
        static_cast<float>(static_cast<double>(p_.lse_of(head_)[first + i]) * std::numbers::log2e);
    // D_i = dO_i · O_i in float64: it is taken from every dP of the row.
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (Index c = 0; c < value_dim; ++c)
      sum +=
          static_cast<double>(gradient[i * value_dim + c]) * static_cast<double>(output[i * value_dim + c]);
    delta_[size(i)] = static_cast<float>(sum);
  }
}

QueryRange BackwardPart::seen_by(KeyRange keys) const {
  const Index last_row = std::min(blocks_.queries, p_.queries() - first_query_);
  if (!mixed_) return {0, last_row};
  const auto clip = [&](Index i) { return std::clamp<Index>(i - first_query_, 0, last_row); };
  return {clip(queries_of(p_.mask, keys.first, p_.queries(), p_.keys()).first),
          clip(queries_of(p_.mask, keys.last - 1, p_.queries(), p_.keys()).last)};
}

KeyRange BackwardPart::seen_from(QueryRange queries, KeyRange keys) const {
  if (!mixed_) return {0, keys.last - keys.first};
  const KeyRange seen{p_.keys_of(first_query_ + queries.first).first, p_.keys_of(first_query_ + queries.last - 1).last};
  return within(seen, keys.first, keys.last - keys.first);
}

void BackwardPart::tile(Index rows, KeyRange keys, KeyRange part) {
  const Index count = keys.last - keys.first;
  const float* key = p_.key_of(head_) + keys.first * p_.dim();
  mixed_ = p_.keys_of(first_query_).last < keys.last ||
           p_.keys_of(first_query_ + rows - 1).first > keys.first;
  block_transposed_ = key_transposed_.data() +
                      (keys.first - part.first) / blocks_.keys * transposed_stride(blocks_) * p_.dim();
  weights(rows, keys);
  if (mixed_) hide(rows, keys);
  float* key_gradient = key_gradient_.data() + (keys.first - part.first) * padded_dim_;
  float* value_gradient = value_gradient_.data() + (keys.first - part.first) * padded_value_dim_;
  // 0 · NaN is NaN: where there is one beside pairs that are masked, only what is seen may be multiplied.
  if (mixed_ && !(finite_queries_ && simd::all_finite(key, p_.dim(), count, p_.dim())))
    add_visible(rows, keys, key_gradient, value_gradient);
  else
    add_products(rows, keys, key_gradient, value_gradient);
}

/// Pᵀ and dSᵀ of the tile, panel by panel, but for what lies in a strip of keys that no query of the panel
/// sees.
void BackwardPart::weights(Index rows, KeyRange keys) {
  const Index dim = p_.dim();
  const Index value_dim = p_.value_dim();
  const Index height = strip_height(keys.last - keys.first);
  for (Index x = 0; x < rows; x += panel) {  // panels of queries
    const KeyRange seen = seen_from({x, std::min(x + panel, rows)}, keys);
    simd::Float lse[simd::tile_vectors];
    simd::Float delta[simd::tile_vectors];
    simd::unrolled<simd::tile_vectors>([&](auto v) {
      lse[v] = simd::load(lse_.data() + x + v * simd::lanes);
      delta[v] = simd::load(delta_.data() + x + v * simd::lanes);
    });
    for (Index y = seen.first / height * height; y < seen.last; y += height) {  // strips of keys
      const Index strip = std::min(height, keys.last - keys.first - y);
      float* weight = weights_.data() + y * blocks_.stride + x;
      float* gradient = score_gradient_.data() + y * blocks_.stride + x;
      simd::multiply_strip<simd::Into::replace>(
          strip, dim, backward_depth, p_.key_of(head_) + (keys.first + y) * dim, dim,
          query_transposed_.data() + x * dim, panel, weight, blocks_.stride);
      simd::multiply_strip<simd::Into::replace>(
          strip, value_dim, backward_depth, p_.value_of(head_) + (keys.first + y) * value_dim, value_dim,
          gradient_transposed_.data() + x * value_dim, panel, gradient, blocks_.stride);
      for (Index i = 0; i < strip; ++i)
        simd::unrolled<simd::tile_vectors>([&](auto v) {
          const Index at = i * blocks_.stride + v * simd::lanes;
          const simd::Float p_ij = simd::exp2(simd::load(weight + at) - lse[v]);
          simd::store(weight + at, p_ij);
          simd::store(gradient + at, p_ij * (simd::load(gradient + at) - delta[v]));
        });
    }
  }
}

/// P = dS = 0 where a query does not see a key.
void BackwardPart::hide(Index rows, KeyRange keys) {
  for (Index j = keys.first; j < keys.last; ++j) {
    const QueryRange seen = seen_by({j, j + 1});
    for (float* tile : {weights_.data(), score_gradient_.data()}) {
      float* row = tile + (j - keys.first) * blocks_.stride;
      std::fill(row, row + seen.first, 0.F);
      std::fill(row + seen.last, row + rows, 0.F);
    }
  }
}

/// dV += Pᵀ dO, dK += dSᵀ Q and dQᵀ += Kᵀ dSᵀ.
void BackwardPart::add_products(Index rows, KeyRange keys, float* key_gradient, float* value_gradient) {
  const Index count = keys.last - keys.first;
  const Index height = strip_height(count);
  const auto over_queries = [&](const tensor::Buffer& tile, const tensor::Buffer& columns, Index padded,
                                float* to) {
    for (Index c = 0; c < padded; c += panel)      // panels of columns
      for (Index y = 0; y < count; y += height) {  // strips of keys
        const Index strip = std::min(height, count - y);
        const QueryRange seen = seen_by({keys.first + y, keys.first + y + strip});
        if (seen.first >= seen.last) continue;
        simd::multiply_strip<simd::Into::add>(strip, seen.last - seen.first, blocks_.queries,
                                              tile.data() + y * blocks_.stride + seen.first, blocks_.stride,
                                              columns.data() + c * blocks_.queries + seen.first * panel,
                                              panel, to + y * padded + c, padded);
      }
  };
  over_queries(weights_, gradient_columns_, padded_value_dim_, value_gradient);
  over_queries(score_gradient_, query_columns_, padded_dim_, key_gradient);
  for (Index x = 0; x < rows; x += panel) {  // panels of queries
    const KeyRange seen = seen_from({x, std::min(x + panel, rows)}, keys);
    if (seen.first >= seen.last) continue;
    multiply<simd::Into::add>(p_.dim(), seen.last - seen.first, blocks_.keys, block_transposed_ + seen.first,
                              transposed_stride(blocks_),
                              score_gradient_.data() + seen.first * blocks_.stride + x, blocks_.stride,
                              query_gradient_.data() + x * p_.dim(), panel);
  }
}

/// The same sums by the same kernels in the same order, but each over the pairs that are seen alone: zeros
/// before and after change nothing. Whole strips and panels are computed, of which one key or one query is
/// kept.
void BackwardPart::add_visible(Index rows, KeyRange keys, float* key_gradient, float* value_gradient) {
  const Index count = keys.last - keys.first;
  const Index height = strip_height(count);
  tensor::Buffer sum(size(std::max<Index>(p_.dim(), simd::tile_rows) * panel));
  for (Index y = 0; y < count; ++y) {
    const QueryRange seen = seen_by({keys.first + y, keys.first + y + 1});
    if (seen.first >= seen.last) continue;
    const Index first = y / height * height;
    const auto add = [&](const tensor::Buffer& tile, const tensor::Buffer& columns, Index padded, float* to) {
      for (Index c = 0; c < padded; c += panel) {
        simd::multiply_strip<simd::Into::replace>(
            std::min(height, count - first), seen.last - seen.first, blocks_.queries,
            tile.data() + first * blocks_.stride + seen.first, blocks_.stride,
            columns.data() + c * blocks_.queries + seen.first * panel, panel, sum.data(), panel);
        for (Index x = 0; x < panel; ++x) to[y * padded + c + x] += sum[size((y - first) * panel + x)];
      }
    };
    add(weights_, gradient_columns_, padded_value_dim_, value_gradient);
    add(score_gradient_, query_columns_, padded_dim_, key_gradient);
  }
  for (Index i = 0; i < rows; ++i) {
    const KeyRange seen = seen_from({i, i + 1}, keys);
    if (seen.first >= seen.last) continue;
    const Index x = i / panel * panel;
    multiply<simd::Into::replace>(p_.dim(), seen.last - seen.first, blocks_.keys,
                                  block_transposed_ + seen.first, transposed_stride(blocks_),
                                  score_gradient_.data() + seen.first * blocks_.stride + x, blocks_.stride,
                                  sum.data(), panel);
    for (Index c = 0; c < p_.dim(); ++c)
      query_gradient_[size(x * p_.dim() + c * panel + i - x)] += sum[size(c * panel + i - x)];
  }
}

/// scale · dQ of the block of queries, turned round.
void BackwardPart::write_query_gradient(Index rows, float* to) {
  const Index dim = p_.dim();
  for (float& x : query_gradient_) x *= p_.scale;
  for (Index x = 0; x < rows; x += panel) {
    const float* from = query_gradient_.data() + x * dim;
    simd::transpose(from, panel, dim, std::min(panel, rows - x), to + x * dim, dim);
  }
}

void BackwardPart::write_key_gradients(KeyRange part, BackwardOutput& out) {
  for (Index j = part.first; j < part.last; ++j) {
    const float* key = key_gradient_.data() + (j - part.first) * padded_dim_;
    const float* value = value_gradient_.data() + (j - part.first) * padded_value_dim_;
    float* to = out.key_gradient_of(head_) + j * p_.dim();
    for (Index c = 0; c < p_.dim(); ++c) to[c] = key[c] * p_.scale;
    std::copy_n(value, p_.value_dim(), out.value_gradient_of(head_) + j * p_.value_dim());
  }
}

void backward_fused(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  BackwardPart part(p, p.keys());
  for (Index head = 0; head < p.all_heads(); ++head)
    part.run(head, {0, p.keys()}, out.query_gradient_of(head), out);
}

std::size_t backward_fused_workspace(const BackwardProblem& p) { return BackwardPart::bytes(p, p.keys()); }

}  // namespace attention::dot_product
