#include "attention_problem.hpp"

#include <algorithm>
#include <cmath>

namespace attention::peers {

Keys AttentionProblem::keys_of(Index i) const {
  const Index own = i + std::max<Index>(0, keys - queries);
  const Index last = causal ? own + 1 : (window > 0 ? own + window : keys);
  const Index first = window > 0 ? own - window + 1 : 0;
  return {std::clamp<Index>(first, 0, keys), std::clamp<Index>(last, 0, keys)};
}

AttentionProblem read_attention(const Json& open) {
  const Json shape = open.at("shape");
  const auto size = [&](const char* key, Index otherwise) {
    return shape.contains(key) ? shape.at(key).get<Index>() : otherwise;
  };
  AttentionProblem p;
  p.batch = size("batch", 1);
  p.heads = size("heads", 1);
  p.kv_heads = size("kv_heads", p.heads);
  p.queries = size("queries", 1);
  p.keys = size("keys", p.queries);
  p.dim = size("dim", 1);
  p.value_dim = size("value_dim", p.dim);
  p.causal = size("causal", 0) != 0;
  p.window = size("window", 0);
  p.scale = 1 / std::sqrt(static_cast<float>(p.dim));
  p.threads = open.at("threads").get<int>();
  if (size("kv_dtype", 0) != 0) throw Unsupported("keys and values of 16 bits");
  p.query = load_copies<4>(open, "query", {p.batch, p.heads, p.queries, p.dim});
  p.key = load_copies<4>(open, "key", {p.batch, p.kv_heads, p.keys, p.dim});
  p.value = load_copies<4>(open, "value", {p.batch, p.kv_heads, p.keys, p.value_dim});
  return p;
}

}  // namespace attention::peers
