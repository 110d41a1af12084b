#include "exercises/mistakes.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "exercise/attention_mistakes.hpp"

namespace attention::dot_product {

namespace {

using exercise::Arrays;

struct Fault {
  std::optional<double> scale_power = {};  ///< the scale is dim to this power
  bool transposed_key = false;
  bool value_by_column = false;
  bool heads_in_turn = false;
  bool first_key_head = false;
  bool all_keys = false;
  Index left = 0, right = 0;  ///< keys more that are seen on either side
  bool without_offset = false;
};

KeyRange keys_of(const Problem& p, const Fault& fault, Index i) {
  if (fault.all_keys) return {0, p.keys()};
  Mask mask = p.mask;
  if (mask.left != Mask::everything) mask.left += fault.left;
  if (mask.right != Mask::everything) mask.right += fault.right;
  if (fault.without_offset) mask.offset = 0;
  return mask.keys_of(i, p.keys());
}

/// Attention in float64 with a fault.
Arrays answer(const Problem& p, const Fault& fault, exercise::SoftmaxFault softmax) {
  const double scale =
      fault.scale_power ? std::pow(static_cast<double>(p.dim()), *fault.scale_power) : static_cast<double>(p.scale);
  const Index keys = p.keys();
  Arrays all(3);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      const Index served = fault.first_key_head ? 0 : fault.heads_in_turn ? h % p.key_heads() : p.key_head(0, h);
      const float* key = p.key.data() + (b * p.key_heads() + served) * keys * p.dim();
      const float* value = p.value.data() + (b * p.key_heads() + served) * keys * p.value_dim();
      std::vector<double> scores(static_cast<std::size_t>(p.queries() * keys),
                                 -std::numeric_limits<double>::infinity());
      for (Index i = 0; i < p.queries(); ++i) {
        const KeyRange seen = keys_of(p, fault, i);
        for (Index j = seen.first; j < seen.last; ++j) {
          double score = 0;
          for (Index c = 0; c < p.dim(); ++c)
            score += static_cast<double>(p.query_of(b, h)[i * p.dim() + c]) *
                     static_cast<double>(key[fault.transposed_key ? c * keys + j : j * p.dim() + c]);
          scores[static_cast<std::size_t>(i * keys + j)] = score * scale;
        }
      }
      std::vector<double> values(static_cast<std::size_t>(keys * p.value_dim()));
      for (Index j = 0; j < keys; ++j)
        for (Index c = 0; c < p.value_dim(); ++c)
          values[static_cast<std::size_t>(j * p.value_dim() + c)] =
              static_cast<double>(value[fault.value_by_column ? c * keys + j : j * p.value_dim() + c]);
      const exercise::Attended head = exercise::attend(scores, values, p.queries(), keys, p.value_dim(), softmax);
      exercise::append(all[0], head.output);
      exercise::append(all[1], head.lse);
      exercise::append(all[2], head.weights);
    }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<Problem>> mistakes() {
  const std::string off_by_one =
      "The mask is off by one: query i sees the keys from i + offset − left to i + offset + right, both included; "
      "p.keys_of(i) says so.";
  return exercise::attention_mistakes<Problem, Fault>(
      {{"no_scale", "The scores are not multiplied by the scale, 1/sqrt(dim).", {.scale_power = 0}},
       {"wrong_scale", "The scale is 1/dim instead of 1/sqrt(dim).", {.scale_power = -1}},
       {"wrong_scale",
        "The scale is sqrt(dim) instead of 1/sqrt(dim): multiplied, where it must be divided.",
        {.scale_power = 0.5}},
       {"transposed_key",
        "K is read as its transpose: entry c of key j stands at key[j * dim + c].",
        {.transposed_key = true}},
       {"transposed_value",
        "V is read as its transpose: entry c of value j stands at value[j * value_dim + c].",
        {.value_by_column = true}},
       {"wrong_key_head",
        "Head h reads the keys of head h % key_heads; heads stand in groups: h / (heads / key_heads), as p.key_of(b, "
        "h) has it.",
        {.heads_in_turn = true}},
       {"wrong_key_head", "Every head reads the keys of head 0.", {.first_key_head = true}},
       {"mask_ignored", "The mask is ignored: query i sees all keys instead of p.keys_of(i).", {.all_keys = true}},
       {"mask_off_by_one", off_by_one, {.right = 1}},
       {"mask_off_by_one", off_by_one, {.right = -1}},
       {"mask_off_by_one", off_by_one, {.left = 1}},
       {"mask_off_by_one", off_by_one, {.left = -1}},
       {"mask_without_offset",
        "The mask begins at the first key: with more keys than queries the last query stands beside the last key.",
        {.without_offset = true}}},
      answer);
}

}  // namespace attention::dot_product
