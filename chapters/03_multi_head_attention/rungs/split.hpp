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
      const Index g = key_head(p, h);
      for (Index i = 0; i < p.queries(); ++i) {
        const Index row = (place * p.queries() + i) * dim;
        std::copy_n(from.query(b, h, i), dim, heads.query.data() + row);
        std::copy_n(from.key(b, g, i), dim, heads.key.data() + row);
        std::copy_n(from.value(b, g, i), dim, heads.value.data() + row);
      }
    }
  take_all_keys(p, heads);
  return heads;
}

/// The way back for the outputs: [batch, heads, queries, dim] becomes [batch, queries, heads · dim].
inline tensor::UnsetBuffer concatenate(const Problem& p, const dot_product::Output& head) {
  const Index dim = p.dim();
  tensor::UnsetBuffer to(static_cast<std::size_t>(p.batch() * p.queries() * p.heads() * dim));
#pragma omp parallel for collapse(2)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.queries(); ++i)
      for (Index h = 0; h < p.heads(); ++h)
        std::copy_n(head.output.data() + ((b * p.heads() + h) * p.queries() + i) * dim, dim,
                    to.data() + ((b * p.queries() + i) * p.heads() + h) * dim);
  return to;
}

}  // namespace attention::multi_head
