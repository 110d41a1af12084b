#include "conformance/attention_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "conformance/attributes.hpp"
#include "program/error.hpp"
#include "simd/storage.hpp"

namespace attention::conformance {

namespace {

using program::UserError;

/// Scores of a case: it must be done in seconds, and in memory.
constexpr double most_scores = 0x1p28;

/// Length of a case's tensor: [batch, heads, n, width], or packed [batch, n, heads · width].
struct Layout {
  Index batch, heads, n, width;

  Layout(const CaseTensor& tensor, bool packed, Index packed_heads) : batch(tensor.extent(0)) {
    if (packed) {
      if (tensor.extent(2) % packed_heads != 0)
        throw UserError(fmt::format("{} has shape {}, whose last length {} heads do not divide", tensor.name(),
                                    as_text(tensor.shape()), packed_heads));
      heads = packed_heads, n = tensor.extent(1), width = tensor.extent(2) / packed_heads;
    } else {
      heads = tensor.extent(1), n = tensor.extent(2), width = tensor.extent(3);
    }
  }
};

void require_rank(const CaseTensor& tensor, Index rank) {
  if (tensor.rank() != rank)
    throw UserError(fmt::format("{} has shape {}, expected {} dimensions", tensor.name(), as_text(tensor.shape()), rank));
}

/// Where the rows of past and new keys or values lie: in place where there is no past, else copied one behind the other to `own`.
template <class T>
Rows<const T> joined(const CaseTensor* past, const CaseTensor& now, bool packed, const Layout& layout, std::vector<T>& own) {
  const Rows<const T> rows = AttentionProblem::rows_in(now.data<T>(), packed, layout.heads, layout.n, layout.width);
  if (!past) return rows;
  const Index past_rows = past->extent(2);
  const Rows<const T> before = dot_product::rows_of(past->data<T>(), layout.heads, past_rows, layout.width);
  own.resize(static_cast<std::size_t>(now.size() + past->size()));
  T* to = own.data();
  for (Index b = 0; b < layout.batch; ++b)
    for (Index h = 0; h < layout.heads; ++h) {
      for (Index i = 0; i < past_rows; ++i, to += layout.width) std::copy_n(before.row(b, h, i), layout.width, to);
      for (Index i = 0; i < layout.n; ++i, to += layout.width) std::copy_n(rows.row(b, h, i), layout.width, to);
    }
  return dot_product::rows_of(static_cast<const T*>(own.data()), layout.heads, past_rows + layout.n, layout.width);
}

void read_cache(const CaseTensor* past, const CaseTensor& now, bool packed, const Layout& layout, Cache& cache) {
  if (past) {
    require_same_dtype(*past, now);
    require_rank(*past, 4);
    require_shape(*past, {layout.batch, layout.heads, past->extent(2), layout.width});
    cache.past = past->extent(2);
  }
  if (!now.is_half()) {
    cache.rows = joined(past, now, packed, layout, cache.own);
    return;
  }
  cache.rows16 = joined(past, now, packed, layout, cache.own16);
  // Widened where they lie, so that the rows are as far apart.
  const std::uint16_t* from = past ? cache.own16.data() : now.data<std::uint16_t>();
  const Index count = now.size() + (past ? past->size() : 0);
  cache.own.resize(static_cast<std::size_t>(count));
  simd::widen_row(simd::Storage::float16, from, count, cache.own.data());
  cache.rows = {cache.own.data(), cache.rows16.batch_stride, cache.rows16.head_stride, cache.rows16.row_stride};
}

void read_mask(const CaseTensor& tensor, const AttentionProblem& p, GivenMask& mask) {
  if (tensor.rank() < 1 || tensor.rank() > 4)
    throw UserError(fmt::format("{} has shape {}, expected 1 to 4 dimensions", tensor.name(), as_text(tensor.shape())));
  const std::array whole{p.batch, p.heads, p.queries, p.keys};
  std::array<Index, 4> strides{};
  Index stride = 1;
  for (std::size_t back = 1; back <= static_cast<std::size_t>(tensor.rank()); ++back) {
    const std::size_t axis = 4 - back;
    const Index length = tensor.extent(tensor.rank() - static_cast<Index>(back));
    const bool fits = axis == 3 ? length <= whole[axis] : length == 1 || length == whole[axis];
    if (!fits)
      throw UserError(fmt::format("{} has shape {}, which cannot be broadcast to {}", tensor.name(), as_text(tensor.shape()),
                                  as_text(whole)));
    strides[axis] = length == 1 ? 0 : stride;
    stride *= length;
  }
  mask.keys = tensor.extent(tensor.rank() - 1);
  if (tensor.dtype() == "bool") {
    mask.allowed = {tensor.data<bool>(), strides[0], strides[1], strides[2]};
    return;
  }
  if (tensor.dtype() != "float32") mask.own = tensor.as_float();
  mask.added = {tensor.dtype() == "float32" ? tensor.data<float>() : mask.own.data(), strides[0], strides[1], strides[2]};
}

Mask window_of(const Attributes& attributes, Index past) {
  const auto bound = [&](const char* name) {
    const Index size = attributes.integer(name, -1, -1);
    return size < 0 ? Mask::everything : std::min(size, Mask::everything);
  };
  Mask mask{bound("left_window_size"), bound("right_window_size"), past};
  if (attributes.integer("is_causal", 0, 0, 1) == 1) mask.right = 0;
  return mask;
}

}  // namespace

AttentionProblem::AttentionProblem(const Case& given) {
  const CaseTensor& q = *given.input(0);
  const CaseTensor& k = *given.input(1);
  const CaseTensor& v = *given.input(2);
  const CaseTensor* past_key = given.input(4);
  const CaseTensor* past_value = given.input(5);
  const CaseTensor* nonpad = given.input(6);
  for (const CaseTensor* tensor : {&q, &k, &v}) require_float(*tensor);
  require_same_dtype(k, q);
  if (q.rank() != 3 && q.rank() != 4)
    throw UserError(fmt::format("{} has shape {}, expected 3 or 4 dimensions", q.name(), as_text(q.shape())));
  require_rank(k, q.rank());
  require_rank(v, q.rank());
  if ((past_key == nullptr) != (past_value == nullptr))
    throw UserError("of past_key and past_value one is given; they come together");
  if (past_key && nonpad) throw UserError("past_key and nonpad_kv_seqlen are given; they exclude each other");

  const Attributes attributes(given.attributes);
  packed = q.rank() == 3;
  const Index key_heads_given = packed ? attributes.required("kv_num_heads", 1) : 0;
  const Layout query_layout(q, packed, packed ? attributes.required("q_num_heads", 1) : 0);
  const Layout key_layout(k, packed, key_heads_given);
  const Layout value_layout(v, packed, key_heads_given);
  const auto same = [](const char* what, const CaseTensor& a, Index x, const CaseTensor& b, Index y) {
    if (x != y) throw UserError(fmt::format("{}: {} has {}, {} has {}; they must be equal", what, a.name(), x, b.name(), y));
  };
  same("batch", q, query_layout.batch, k, key_layout.batch);
  same("batch", q, query_layout.batch, v, value_layout.batch);
  same("heads", k, key_layout.heads, v, value_layout.heads);
  same("keys", k, key_layout.n, v, value_layout.n);
  same("dim", q, query_layout.width, k, key_layout.width);
  batch = query_layout.batch;
  heads = query_layout.heads;
  key_heads = key_layout.heads;
  if (key_heads == 0 || heads == 0 || heads % key_heads != 0)
    throw UserError(
        fmt::format("{} has {} heads, {} has {}; the second must divide the first", q.name(), heads, k.name(), key_heads));
  queries = query_layout.n;
  dim = query_layout.width;
  value_dim = value_layout.width;

  if (q.is_half()) own_query = q.as_float();
  query = rows_in(q.is_half() ? own_query.data() : q.data<float>(), packed, heads, queries, dim);
  read_cache(past_key, k, packed, key_layout, key);
  read_cache(past_value, v, packed, value_layout, value);
  if (past_key) same("past keys", *past_key, key.past, *past_value, value.past);
  keys = key.past + key_layout.n;
  // Empty axes do not excuse absurd lengths beside them.
  const auto length_of = [](Index length) { return static_cast<double>(std::max<Index>(length, 1)); };
  if (length_of(batch) * length_of(heads) * length_of(queries) * length_of(keys) > most_scores)
    throw UserError(fmt::format("{} × {} × {} × {} scores are too many for a case", batch, heads, queries, keys));

  const double given_scale = attributes.real("scale").value_or(1 / std::sqrt(static_cast<double>(dim)));
  if (!(given_scale >= 0))
    throw UserError(
        fmt::format("the attribute scale is {}; its root multiplies Q and K, so it must not be negative", given_scale));
  scale = static_cast<float>(given_scale);
  softcap = static_cast<float>(attributes.real("softcap").value_or(0));
  stage = static_cast<ScoreStage>(attributes.integer("qk_matmul_output_mode", 0, 0, 3));
  if (attributes.has("softmax_precision")) {
    const Index type = attributes.integer("softmax_precision", 1);
    if (type != 1 && type != 10 && type != 11 && type != 16)
      throw NotKnown(fmt::format("softmax_precision {} is not known here, 1, 10, 11 and 16 are", type));
    softmax_type = static_cast<SoftmaxType>(type);
  }

  mask = window_of(attributes, key.past);
  if (nonpad) {
    require_shape(*nonpad, {batch});
    lengths = nonpad->as_index();
    for (const Index keys_here : lengths) {
      if (keys_here < 0 || keys_here > keys)
        throw UserError(fmt::format("{} holds {}, expected 0 to {}, the number of keys", nonpad->name(), keys_here, keys));
      offsets.push_back(keys_here - queries);
    }
  }
  if (const CaseTensor* tensor = given.input(3)) read_mask(*tensor, *this, given_mask.emplace());
}

Shape AttentionProblem::output_shape() const {
  if (packed) return {batch, queries, heads * value_dim};
  return {batch, heads, queries, value_dim};
}

Index AttentionProblem::length(Index b) const {
  const Index by_length = lengths.empty() ? keys : lengths[static_cast<std::size_t>(b)];
  return given_mask ? std::min(by_length, given_mask->keys) : by_length;
}

KeyRange AttentionProblem::keys_of(Index b, Index i) const {
  Mask here = mask;
  if (!offsets.empty()) here.offset = offsets[static_cast<std::size_t>(b)];
  return here.keys_of(i, length(b));
}

bool AttentionProblem::sees(Index b, Index h, Index i, Index j) const {
  const KeyRange range = keys_of(b, i);
  if (j < range.first || j >= range.last) return false;
  if (!given_mask) return true;
  if (given_mask->allowed.data) return given_mask->allowed.row(b, h, i)[j];
  return given_mask->added.row(b, h, i)[j] != -std::numeric_limits<float>::infinity();
}

}  // namespace attention::conformance
