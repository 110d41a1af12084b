#include "key_value_cache.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/error.hpp"

namespace attention::self_attention {

namespace {

using dot_product::Rows;
using program::UserError;

tensor::Tensor<4> storage(const KeyValueCache::Sizes& s, Index capacity) {
  const auto size = [](Index n) { return static_cast<std::size_t>(n); };
  return tensor::empty<4>({size(s.batch), size(s.key_heads), size(capacity), size(s.dim)});
}

/// Rows 0 … count − 1 of `from` become rows first … first + count − 1 of `to`.
void copy_rows(const KeyValueCache::Sizes& s, const Rows<const float>& from, const Rows<float>& to, Index first, Index count) {
  for (Index b = 0; b < s.batch; ++b)
    for (Index h = 0; h < s.key_heads; ++h)
      for (Index i = 0; i < count; ++i) std::copy_n(from.row(b, h, i), s.dim, to.row(b, h, first + i));
}

}  // namespace

KeyValueCache::KeyValueCache(const Sizes& sizes, Index capacity, Growth growth) : sizes_(sizes), growth_(growth), capacity_(capacity) {
  if (sizes.batch < 1 || sizes.key_heads < 1 || sizes.dim < 1)
    throw UserError(fmt::format("key-value cache: batch {}, key heads {} and dim {} must be 1 at least", sizes.batch, sizes.key_heads,
                                sizes.dim));
  if (capacity < 0) throw UserError(fmt::format("key-value cache: a capacity of {} tokens; it must not be negative", capacity));
  key_ = storage(sizes, capacity);
  value_ = storage(sizes, capacity);
}

std::size_t KeyValueCache::bytes() const {
  return static_cast<std::size_t>(2 * sizes_.batch * sizes_.key_heads * capacity_ * sizes_.dim) * sizeof(float);
}

void KeyValueCache::append(const Rows<const float>& key, const Rows<const float>& value, Index count) {
  if (count < 1) throw UserError(fmt::format("key-value cache: {} tokens to append; there must be one at least", count));
  if (size_ + count > capacity_) {
    if (growth_ == Growth::fixed)
      throw UserError(fmt::format("key-value cache: it holds {} tokens and has room for {}; {} more do not fit: take a larger "
                                  "capacity, or let it grow",
                                  size_, capacity_, count));
    move_to(std::max(size_ + count, 2 * capacity_));
  }
  copy_rows(sizes_, key, dot_product::rows_of(key_.data(), sizes_.key_heads, capacity_, sizes_.dim), size_, count);
  copy_rows(sizes_, value, dot_product::rows_of(value_.data(), sizes_.key_heads, capacity_, sizes_.dim), size_, count);
  size_ += count;
}

void KeyValueCache::move_to(Index capacity) {
  for (tensor::Tensor<4>* held : {&key_, &value_}) {
    tensor::Tensor<4> larger = storage(sizes_, capacity);
    const float* from = held->data();
    copy_rows(sizes_, dot_product::rows_of(from, sizes_.key_heads, capacity_, sizes_.dim),
              dot_product::rows_of(larger.data(), sizes_.key_heads, capacity, sizes_.dim), 0, size_);
    *held = std::move(larger);
  }
  capacity_ = capacity;
}

void KeyValueCache::truncate(Index size) {
  if (size < 0 || size > size_)
    throw UserError(fmt::format("key-value cache: it holds {} tokens and cannot be cut to {}", size_, size));
  size_ = size;
}

void KeyValueCache::attend(dot_product::FusedProblem f) const {
  if (f.queries < 1 || f.queries > size_)
    throw UserError(fmt::format("key-value cache: {} queries, but it holds {} tokens; append their keys and values first", f.queries, size_));
  if (f.heads < 1 || f.heads % sizes_.key_heads != 0)
    throw UserError(fmt::format("key-value cache: {} heads of queries cannot share {} heads of keys evenly", f.heads, sizes_.key_heads));
  f.batch = sizes_.batch;
  f.key_heads = sizes_.key_heads;
  f.keys = size_;
  f.dim = f.value_dim = sizes_.dim;
  f.key = dot_product::rows_of(key_.data(), sizes_.key_heads, capacity_, sizes_.dim);
  f.value = dot_product::rows_of(value_.data(), sizes_.key_heads, capacity_, sizes_.dim);
  f.mask.offset += size_ - f.queries;
  dot_product::fused_attention(f);
}

}  // namespace attention::self_attention
