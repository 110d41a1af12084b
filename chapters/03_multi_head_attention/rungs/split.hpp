#pragma once

#include "rungs/heads.hpp"
#include "rungs/projections.hpp"

namespace attention::multi_head {

/// The columns of each head out of the rows of all: [batch, n, heads · dim] becomes [batch, heads, n, dim].
inline dot_product::Problem split(const Problem& p, const Projections& from) {
  const Index dim = p.dim();
  dot_product::Problem heads = room_for_heads(p);
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      const Index place = b * p.heads() + h;
      for (Index i = 0; i < p.queries(); ++i)
        std::copy_n(from.query() + (b * p.queries() + i) * from.query_stride(p) + h * dim, dim,
                    heads.query.data() + (place * p.queries() + i) * dim);
      for (Index j = 0; j < p.n(); ++j) {
        const float* row = from.all.data() + (b * p.n() + j) * from.columns + key_head(p, h) * dim;
        std::copy_n(row + from.key_column, dim, heads.key.data() + (place * p.n() + j) * dim);
        std::copy_n(row + from.value_column, dim, heads.value.data() + (place * p.n() + j) * dim);
      }
    }
  return heads;
}

/// The way back for the outputs: [batch, heads, queries, dim] becomes [batch, queries, heads · dim].
inline tensor::Buffer concatenate(const Problem& p, const dot_product::Output& head) {
  const Index dim = p.dim();
  tensor::Buffer to(static_cast<std::size_t>(p.batch() * p.queries() * p.heads() * dim));
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      for (Index h = 0; h < p.heads(); ++h)
        std::copy_n(head.output.data() + ((b * p.heads() + h) * p.queries() + i) * dim, dim,
                    to.data() + ((b * p.queries() + i) * p.heads() + h) * dim);
  return to;
}

}  // namespace attention::multi_head
