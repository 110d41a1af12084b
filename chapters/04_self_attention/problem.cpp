#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "numerics/random.hpp"
#include "program/error.hpp"
#include "rungs/projection.hpp"
#include "self_attention.hpp"
#include "tensor/make_room.hpp"

namespace attention::self_attention {

namespace {

Mask mask_of(Kind kind, const ladder::Shape& shape) {
  switch (kind) {
    case Kind::full:
      return Mask::full();
    case Kind::causal:
      return Mask::causal();
    case Kind::window:
      return Mask::sliding_window(shape["window"]);
  }
  return {};
}

}  // namespace

Index Problem::span() const { return std::min(n(), mask.left + mask.right + 1); }

double Problem::scale() const { return 1 / std::sqrt(static_cast<double>(dim())); }

bool adds_encoding(const Problem& p) { return p.positions == Positions::sinusoidal || p.positions == Positions::learned; }

void position_encoding(const Problem& p, Index i, double* to) {
  if (p.positions == Positions::sinusoidal)
    sinusoidal_encoding(p.first_position + i, p.width(), to);
  else if (p.positions == Positions::learned)
    std::copy_n(p.position_table.data() + (p.first_position + i) * p.width(), p.width(), to);
  else
    std::fill_n(to, p.width(), 0.0);
}

void check_positions(const Problem& p) {
  if (p.positions != Positions::learned) return;
  const Index rows = tensor::extent(p.position_table, 0);
  const Index columns = tensor::extent(p.position_table, 1);
  if (p.first_position + p.n() > rows)
    throw program::UserError(fmt::format("positions: the last token stands at position {}, but the table of learned positions has {} "
                                         "rows; take a shorter text or a larger table",
                                         p.first_position + p.n() - 1, rows));
  if (columns != p.width())
    throw program::UserError(fmt::format("positions: the rows of the table have {} numbers, those of the input {}; they must be equal",
                                         columns, p.width()));
}

void prepare(const Problem& p, Output& out, bool store_weights) {
  const std::array output{size(p.batch()), size(p.queries()), size(p.heads()), size(p.dim())};
  const std::array lse{output[0], output[2], output[1]};
  const std::array weights{output[0], output[2], output[1], size(p.span())};
  if (!std::ranges::equal(out.output.shape(), output)) out.output = tensor::empty<4>(output);
  if (!std::ranges::equal(out.lse.shape(), lse)) out.lse = tensor::empty<3>(lse);
  tensor::make_room(store_weights, weights, out.weights, out.spare_weights);
}

Problem make(Kind kind, const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness) {
  if (shape["positions"] >= std::ssize(all_positions))
    throw program::UserError(fmt::format(
        "shape: positions={} is unknown; 0 is none, 1 sinusoidal, 2 rotary, 3 linear biases, 4 learned", shape["positions"]));
  numerics::Random random(seed);
  Problem p;
  p.input = tensor::empty<3>({size(shape["batch"]), size(shape["n"]), size(shape["width"])});
  p.positions = all_positions[shape["positions"]];
  p.mask = mask_of(kind, shape);
  for (float& x : p.input) x = random.normal();
  const float deviation = 1 / std::sqrt(static_cast<float>(shape["width"]));
  for (Tensor<3>* weight : {&p.query_weight, &p.key_weight, &p.value_weight}) {
    *weight = tensor::empty<3>({size(shape["width"]), size(shape["heads"]), size(shape["dim"])});
    for (float& w : *weight) w = deviation * random.normal();
  }
  if (p.positions == Positions::learned) {
    p.position_table = tensor::empty<2>({size(shape["n"]), size(shape["width"])});
    for (float& x : p.position_table) x = std::sqrt(0.5F) * random.normal();
  }

  const Index row = p.width();
  switch (hardness) {
    case ladder::Hardness::plain:
      break;
    case ladder::Hardness::large_scores:
      for (float& w : p.query_weight) w *= 50;
      break;
    case ladder::Hardness::equal_keys:
      for (Index i = row; i < static_cast<Index>(p.input.size()); ++i) p.input.data()[i] = p.input.data()[i % row];
      break;
    case ladder::Hardness::outlier:
      // The last token of every sequence outweighs the others.
      for (Index b = 0; b < p.batch(); ++b)
        for (Index c = 0; c < row; ++c) p.input.data()[((b + 1) * p.n() - 1) * row + c] *= 30;
      break;
    case ladder::Hardness::tiny:
      for (float& w : p.query_weight) w *= random.uniform() < 0.5 ? 1e-40F : -0.F;
      break;
  }
  return p;
}

Problem take_runs(const Problem& p, std::span<const Index> runs) {
  Problem part = p;
  part.asked.clear();
  for (const Index run : runs)
    for (Index i = 0; i < run_length; ++i) part.asked.push_back(p.position(run * run_length + i));
  if (p.sampled()) return part;
  const Projected whole = project(p, blocked_product, true);
  const std::array shape{size(p.batch()), size(p.n()), size(p.heads()), size(p.dim())};
  part.key = tensor::empty<4>(shape);
  part.value = tensor::empty<4>(shape);
  std::copy_n(whole.key, part.key.size(), part.key.data());
  std::copy_n(whole.value, part.value.size(), part.value.data());
  return part;
}

ladder::Cost cost(const Problem& p) {
  double pairs = 0;  // visible ones, of one head
  for (Index query = 0; query < p.queries(); ++query) pairs += static_cast<double>(p.keys_of(query).last - p.keys_of(query).first);
  const double batch = static_cast<double>(p.batch());
  const double heads = static_cast<double>(p.heads());
  const double queries = static_cast<double>(p.queries());
  const double columns = heads * static_cast<double>(p.dim());
  const double width = static_cast<double>(p.width());
  const double table = p.positions == Positions::learned ? queries * width : 0;
  return {.flops = batch * (2 * 3 * queries * width * columns + 4 * pairs * columns),
          .bytes = 4 * (batch * queries * (width + columns + heads) + 3 * width * columns + table),
          .exps = batch * heads * pairs,
          .reciprocals = 0};
}

}  // namespace attention::self_attention
