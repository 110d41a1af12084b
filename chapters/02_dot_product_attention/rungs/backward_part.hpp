#pragma once

#include "backward.hpp"
#include "simd/micro_kernel.hpp"

namespace attention::dot_product {

/// How the pairs of a head are cut into tiles. It follows the shape alone, since it decides the order of the
/// sums.
struct BackwardBlocks {
  Index queries;  ///< of a tile, a whole number of panels
  Index keys;     ///< of a tile
  Index stride;  ///< floats from one key's row of a tile to the next: no power of two, whose rows would share
                 ///< cache lines

  explicit BackwardBlocks(const BackwardProblem& problem);
};

/// Largest sides of a tile; a sum over queries or keys starts anew for each tile. P and dS of one take 110
/// KB, which a second-level cache holds beside what they are made of.
inline constexpr Index backward_block_queries = 128;
inline constexpr Index backward_block_keys = 16 * simd::tile_rows;

/// Depth of a score's sum that a panel in the nearest cache allows; it starts anew there.
inline constexpr Index backward_depth = 64;

/// One thread's part of a backward pass: some keys of one head, with all queries. Five products over tiles of
/// (block of queries × block of keys); nothing of queries × keys is stored.
class BackwardPart {
 public:
  /// Room for parts of up to `most_keys` keys.
  BackwardPart(const BackwardProblem& problem, Index most_keys);
  /// Bytes that one of these holds.
  static std::size_t bytes(const BackwardProblem& problem, Index most_keys);

  /// Gradients of the keys `keys` and of their values, into `out`, and what these keys add to the gradients
  /// of all queries, into `query_gradient` [queries, dim], which is replaced.
  void run(Index head, KeyRange keys, float* query_gradient, BackwardOutput& out);

 private:
  void pack_queries(Index first, Index rows);
  void tile(Index rows, KeyRange keys, KeyRange part);
  void weights(Index rows, KeyRange keys);
  void hide(Index rows, KeyRange keys);
  void add_products(Index rows, KeyRange keys, float* key_gradient, float* value_gradient);
  void add_visible(Index rows, KeyRange keys, float* key_gradient, float* value_gradient);
  void write_query_gradient(Index rows, float* to);
  void write_key_gradients(KeyRange part, BackwardOutput& out);

  /// Queries of the block that see some of these keys (of the block), counted from the block's first.
  QueryRange seen_by(KeyRange keys) const;
  /// Keys that some of these queries (of the block) see, among `keys`, counted from the first of them.
  KeyRange seen_from(QueryRange queries, KeyRange keys) const;

  const BackwardProblem& p_;
  BackwardBlocks blocks_;
  Index padded_dim_;  ///< whole panels
  Index padded_value_dim_;
  Index head_ = 0;
  Index first_query_ = 0;       ///< of the block
  bool mixed_ = false;          ///< some pairs of the tile are masked
  bool finite_queries_ = true;  ///< Q and dO of the block hold neither NaN nor infinity

  // Of a block of queries. "Columns" are panels [panel][query][column], "transposed" ones [query /
  // 32][column][32].
  tensor::Buffer query_columns_, query_transposed_, gradient_columns_, gradient_transposed_;
  tensor::Buffer lse_, delta_;     ///< lse · log2(e) and D, [queries]
  tensor::Buffer query_gradient_;  ///< dQᵀ before the scale: [panel][dim][query]
  // Of a block of keys.
  tensor::Buffer weights_, score_gradient_;  ///< Pᵀ and dSᵀ: [keys][queries]
  const float* block_transposed_ = nullptr;  ///< its part of key_transposed_: [dim][keys]
  // Of the whole part.
  tensor::Buffer key_transposed_;                 ///< Kᵀ, block by block
  tensor::Buffer key_gradient_, value_gradient_;  ///< before the scale: [keys][whole panels]
};

}  // namespace attention::dot_product
