// What every rung does first: X, with or without encodings, times the three weights. The product is the rung's own.
#include "rungs/projection.hpp"

#include "simd/matrix_product.hpp"

namespace attention::self_attention {

Tensor<2> encoded_tokens(const Problem& p, bool parallel) {
  const Index width = p.width();
  auto x = tensor::empty<2>({size(p.batch() * p.queries()), size(width)});
#pragma omp parallel if (parallel)
  {
    std::vector<double> encoding(size(width));
#pragma omp for schedule(static)
    for (Index i = 0; i < p.queries(); ++i) {
      position_encoding(p, p.position(i), encoding.data());
      for (Index b = 0; b < p.batch(); ++b) {
        const float* from = p.input.data() + (b * p.n() + p.position(i)) * width;
        float* to = x.data() + (b * p.queries() + i) * width;
        for (Index k = 0; k < width; ++k) to[k] = static_cast<float>(static_cast<double>(from[k]) + encoding[size(k)]);
      }
    }
  }
  return x;
}

void rotate_rows(const Problem& p, const dot_product::Rows<float>& query, const dot_product::Rows<float>& key, bool parallel) {
#pragma omp parallel if (parallel)
  {
    Rotation<float> rotation(p.dim());
#pragma omp for schedule(static)
    for (Index i = 0; i < p.queries(); ++i) {
      rotation.set_position(p.first_position + p.position(i));
      for (Index b = 0; b < p.batch(); ++b)
        for (Index h = 0; h < p.heads(); ++h) {
          rotation.turn(query.row(b, h, i));
          rotation.turn(key.row(b, h, i));
        }
    }
  }
}

void blocked_product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  tensor::Buffer panels(size(simd::packed_size(depth, columns)));
  simd::pack_panels(b, columns, depth, columns, panels.data());
  simd::multiply_packed_parallel(rows, columns, depth, a, depth, panels.data(), c, columns);
}

std::size_t blocked_product_workspace(Index depth, Index columns) {
  return size(simd::packed_size(depth, columns)) * sizeof(float);
}

Projected project(const Problem& p, Product product, bool parallel) {
  check_positions(p);
  const bool as_it_lies = !p.sampled() && !adds_encoding(p);
  const Tensor<2> gathered = as_it_lies ? Tensor<2>() : encoded_tokens(p, parallel);
  const float* x = as_it_lies ? p.input.data() : gathered.data();
  const Index rows = p.batch() * p.queries();
  const std::array shape{size(p.batch()), size(p.queries()), size(p.heads()), size(p.dim())};
  Projected to;
  to.query = tensor::empty<4>(shape);
  to.own_key = tensor::empty<4>(shape);
  to.own_value = tensor::empty<4>(shape);
  const Index columns = p.heads() * p.dim();
  product(x, rows, p.width(), p.query_weight.data(), columns, to.query.data());
  product(x, rows, p.width(), p.key_weight.data(), columns, to.own_key.data());
  product(x, rows, p.width(), p.value_weight.data(), columns, to.own_value.data());
  const auto rows_of = [&](Tensor<4>& t) { return dot_product::Rows<float>{t.data(), p.queries() * columns, p.dim(), columns}; };
  if (p.positions == Positions::rotary) rotate_rows(p, rows_of(to.query), rows_of(to.own_key), parallel);
  to.key = p.sampled() ? p.key.data() : to.own_key.data();
  to.value = p.sampled() ? p.value.data() : to.own_value.data();
  return to;
}

std::size_t projection_workspace(const Problem& p) {
  const Index tokens = adds_encoding(p) ? p.width() : 0;
  return size(p.batch() * p.queries() * (3 * p.heads() * p.dim() + tokens)) * sizeof(float);
}

std::vector<QueryBlock> query_blocks(const Problem& p, Index most) {
  std::vector<QueryBlock> blocks;
  for (Index first = 0; first < p.queries();) {
    Index count = 1;
    while (count < most && first + count < p.queries() && p.position(first + count) == p.position(first) + count) ++count;
    blocks.push_back({first, count});
    first += count;
  }
  return blocks;
}

}  // namespace attention::self_attention
