#include "causal_decoder.hpp"

#include <fmt/format.h>

#include "program/error.hpp"
#include "rungs/projection.hpp"
#include "simd/matrix_product.hpp"

namespace attention::self_attention {

namespace {

using dot_product::Rows;
using program::UserError;

/// A piece of so few tokens is not worth waking the other threads for its encodings.
constexpr Index few_tokens = 16;

Problem without_tokens(const Problem& layer) {
  Problem p;
  p.query_weight = layer.query_weight;
  p.key_weight = layer.key_weight;
  p.value_weight = layer.value_weight;
  p.positions = layer.positions;
  p.position_table = layer.position_table;
  p.mask = layer.mask;
  return p;
}

}  // namespace

CausalDecoder::CausalDecoder(const Problem& layer, Index batch, Index capacity, KeyValueCache::Growth growth)
    : piece_(without_tokens(layer)), batch_(batch), first_position_(layer.first_position),
      cache_({batch, layer.heads(), layer.dim()}, capacity, growth) {
  if (layer.mask.right + layer.mask.offset > 0)
    throw UserError("causal decoder: the mask lets a token see later ones, which are not there yet; take a causal mask or a sliding window");
  if (layer.positions == Positions::linear_biases) slopes_ = linear_bias_slopes(layer.heads());
  const Index width = tensor::extent(layer.query_weight, 0);
  const Index columns = layer.heads() * layer.dim();
  const simd::ColumnBlock blocks[] = {{layer.query_weight.data(), columns, columns},
                                      {layer.key_weight.data(), columns, columns},
                                      {layer.value_weight.data(), columns, columns}};
  weights_.resize(static_cast<std::size_t>(simd::packed_size(width, 3 * columns)));
  simd::pack_panels(blocks, width, weights_.data());
}

void CausalDecoder::append(const Tensor<3>& tokens, Output& out) {
  const Index width = tensor::extent(piece_.query_weight, 0);
  const Index count = tensor::extent(tokens, 1);
  if (tensor::extent(tokens, 0) != batch_ || tensor::extent(tokens, 2) != width || count < 1)
    throw UserError(fmt::format("causal decoder: tokens of shape [{}, {}, {}]; it takes [{}, 1 or more, {}]", tensor::extent(tokens, 0),
                                count, tensor::extent(tokens, 2), batch_, width));
  piece_.input = tokens;
  piece_.first_position = first_position_ + cache_.size();
  check_positions(piece_);

  // Q, K and V in one product; positions go where each kind belongs.
  const bool parallel = batch_ * count > few_tokens;
  const Tensor<2> encoded = adds_encoding(piece_) ? encoded_tokens(piece_, parallel) : Tensor<2>();
  const Index columns = piece_.heads() * piece_.dim();
  tensor::UnsetBuffer projected(static_cast<std::size_t>(batch_ * count * 3 * columns));
  simd::multiply_packed_parallel(batch_ * count, 3 * columns, width, adds_encoding(piece_) ? encoded.data() : tokens.data(), width,
                                 weights_.data(), projected.data(), 3 * columns);
  const auto rows = [&](Index part) {
    return Rows<float>{projected.data() + part * columns, count * 3 * columns, piece_.dim(), 3 * columns};
  };
  const auto read = [](const Rows<float>& r) { return Rows<const float>{r.data, r.batch_stride, r.head_stride, r.row_stride}; };
  if (piece_.positions == Positions::rotary) rotate_rows(piece_, rows(0), rows(1), parallel);

  cache_.append(read(rows(1)), read(rows(2)), count);
  prepare(piece_, out, false);
  dot_product::FusedProblem f;
  f.heads = piece_.heads();
  f.queries = count;
  f.query = read(rows(0));
  f.output = {out.output.data(), count * columns, piece_.dim(), columns};
  f.lse = out.lse.data();
  f.scale = static_cast<float>(piece_.scale());
  f.mask = piece_.mask;
  f.slopes = slopes_.empty() ? nullptr : slopes_.data();
  cache_.attend(f);
}

}  // namespace attention::self_attention
