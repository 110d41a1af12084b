#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "tensor/tensor.hpp"

// What the peers that are written in C++ share: the other side of PeerProcess.
namespace attention::peers {

using tensor::Index;
using tensor::Tensor;

/// Why a library cannot compute this problem, or not with this memory. One line.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Keys first … last − 1.
struct Keys {
  Index first = 0;
  Index last = 0;
};

/// Dot-product attention as it is asked for. Shape keys that are not told take their defaults.
struct Problem {
  Index batch = 1;
  Index heads = 1;
  Index kv_heads = 1;  ///< divides heads; heads h · heads/kv_heads … share key head h
  Index queries = 1;
  Index keys = 1;
  Index dim = 1;
  Index value_dim = 1;
  bool causal = false;  ///< no query sees a later key; the last query stands beside the last key
  Index window = 0;     ///< a query sees only keys less than this away; 0: all
  float scale = 1;      ///< 1/sqrt(dim)
  int threads = 1;
  std::vector<Tensor<4>> query;  ///< [batch, heads, queries, dim], a copy for each turn
  std::vector<Tensor<4>> key;    ///< [batch, kv_heads, keys, dim]
  std::vector<Tensor<4>> value;  ///< [batch, kv_heads, keys, value_dim]

  /// The keys that query i sees.
  Keys keys_of(Index i) const;
  /// The first matrix of a head in copy `turn`; `head` counts over batch and heads together.
  const float* query_of(std::size_t turn, Index head) const {
    return query[turn].data() + head * queries * dim;
  }
  const float* key_of(std::size_t turn, Index head) const {
    return key[turn].data() + kv_head(head) * keys * dim;
  }
  const float* value_of(std::size_t turn, Index head) const {
    return value[turn].data() + kv_head(head) * keys * value_dim;
  }
  Index all_heads() const { return batch * heads; }

 private:
  Index kv_head(Index head) const { return head / heads * kv_heads + head % heads / (heads / kv_heads); }
};

/// A library with a problem before it.
class Library {
 public:
  virtual ~Library() = default;
  virtual std::string version() const = 0;
  virtual std::string kernel() const = 0;
  /// Computes copy `turn` of the inputs into `output`, [batch, heads, queries, value_dim].
  virtual void run(std::size_t turn, float* output) = 0;
};

/// Answers on standard output what is asked on standard input until it ends; gives the exit status. `make`
/// may throw Unsupported. See bench/peer_process.hpp for the lines.
int serve(const std::function<std::unique_ptr<Library>(const Problem&)>& make);

/// The fastest of `ways`: each is run once to warm up and then `rounds` times in turn; the position of the
/// one with the least time. `run(way)` does one run.
std::size_t fastest(std::size_t ways, int rounds, const std::function<void(std::size_t)>& run);

}  // namespace attention::peers
