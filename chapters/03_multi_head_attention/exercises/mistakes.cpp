#include "exercises/mistakes.hpp"

#include <cmath>
#include <limits>

#include "exercise/attention_mistakes.hpp"

namespace attention::multi_head {

namespace {

using exercise::Arrays;
using Matrix = std::vector<double>;

struct Fault {
  double scale_power = -0.5;  ///< the scale is dim to this power
  bool scale_of_width = false;
  bool transposed_weights = false;
  bool transposed_key = false;
  bool transposed_output_weight = false;
  bool first_output_weight = false;
  bool last_head_only = false;
  bool mean_of_heads = false;
  bool heads_in_turn = false;
  bool all_keys = false;
  Index right = 0;  ///< keys more that are seen
};

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// X W[h]: [n × dim].
Matrix project(const Problem& p, Index b, const Tensor<3>& weight, Index h, bool transposed) {
  Matrix all(at(p.n() * p.dim()));
  const float* w = weight.data() + h * p.width() * p.dim();
  for (Index i = 0; i < p.n(); ++i)
    for (Index c = 0; c < p.dim(); ++c)
      for (Index k = 0; k < p.width(); ++k)
        all[at(i * p.dim() + c)] += static_cast<double>(p.input_of(b)[i * p.width() + k]) *
                                    static_cast<double>(w[transposed ? c * p.width() + k : k * p.dim() + c]);
  return all;
}

double scale_of(const Problem& p, const Fault& fault) {
  return fault.scale_of_width ? 1 / std::sqrt(static_cast<double>(p.width()))
                              : std::pow(static_cast<double>(p.dim()), fault.scale_power);
}

/// Scores of one head, −inf where the mask lets nothing be seen.
Matrix scores_of(const Problem& p, const Matrix& Q, const Matrix& K, const Fault& fault) {
  const Index n = p.n();
  Matrix scores(at(n * n), -std::numeric_limits<double>::infinity());
  for (Index i = 0; i < n; ++i) {
    const Index seen = p.causal && !fault.all_keys ? std::min(n, i + 1 + fault.right) : n;
    for (Index j = 0; j < seen; ++j) {
      double score = 0;
      for (Index c = 0; c < p.dim(); ++c)
        score += Q[at(i * p.dim() + c)] * K[at(fault.transposed_key ? c * n + j : j * p.dim() + c)];
      scores[at(i * n + j)] = score * scale_of(p, fault);
    }
  }
  return scores;
}

/// Multi-head attention in float64 with a fault.
Arrays answer(const Problem& p, const Fault& fault, exercise::SoftmaxFault softmax) {
  const Index group = p.heads() / p.key_heads();
  Arrays all(1);
  for (Index b = 0; b < p.batch(); ++b) {
    Matrix output(at(p.n() * p.width()));
    for (Index h = 0; h < p.heads(); ++h) {
      const Index g = fault.heads_in_turn ? h % p.key_heads() : h / group;
      const Matrix scores = scores_of(p, project(p, b, p.W_Q, h, fault.transposed_weights),
                                      project(p, b, p.W_K, g, fault.transposed_weights), fault);
      const Matrix head =
          exercise::attend(scores, project(p, b, p.W_V, g, fault.transposed_weights), p.n(), p.n(), p.dim(), softmax)
              .output;
      if (fault.last_head_only) output.assign(output.size(), 0);
      const float* weight = p.W_O.data() + (fault.first_output_weight ? 0 : h) * p.dim() * p.width();
      for (Index i = 0; i < p.n(); ++i)
        for (Index k = 0; k < p.width(); ++k) {
          double& to = output[at(i * p.width() + k)];
          for (Index c = 0; c < p.dim() && to != exercise::unknown; ++c) {
            const double x = head[at(i * p.dim() + c)];
            const auto w =
                static_cast<double>(weight[fault.transposed_output_weight ? k * p.dim() + c : c * p.width() + k]);
            to = x == exercise::unknown ? x : to + x * w / (fault.mean_of_heads ? static_cast<double>(p.heads()) : 1);
          }
        }
    }
    exercise::append(all[0], output);
  }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<Problem>> mistakes() {
  const std::string off_by_one = "The causal mask is off by one: row i sees rows 0 … i, itself included.";
  return exercise::attention_mistakes<Problem, Fault>(
      {{"no_scale", "The scores are not divided by sqrt(dim).", {.scale_power = 0}},
       {"wrong_scale", "The scores are divided by dim instead of sqrt(dim).", {.scale_power = -1}},
       {"wrong_scale",
        "The scores are divided by sqrt(width): each head has dim columns, and that is the length of its dot products.",
        {.scale_of_width = true}},
       {"transposed_weights",
        "W_Q, W_K and W_V are read as their transposes: head h begins at h * width * dim, and its row k at k * dim.",
        {.transposed_weights = true}},
       {"transposed_key",
        "K is read as its transpose: entry c of key j stands at j * dim + c.",
        {.transposed_key = true}},
       {"transposed_output_weight",
        "W_O is read as its transpose: head h begins at h * dim * width, and its row c at c * width.",
        {.transposed_output_weight = true}},
       {"wrong_output_weight",
        "Every head goes through the first rows of W_O; head h has rows of its own.",
        {.first_output_weight = true}},
       {"heads_overwritten",
        "Only the last head is in the output: each overwrites the one before, where all are added up.",
        {.last_head_only = true}},
       {"mean_of_heads", "The heads are averaged: they are added up.", {.mean_of_heads = true}},
       {"wrong_key_head",
        "Head h reads the keys of head h % key_heads; heads stand in groups: h / (heads / key_heads).",
        {.heads_in_turn = true}},
       {"mask_ignored", "The causal mask is ignored: every row sees all others.", {.all_keys = true}},
       {"mask_off_by_one", off_by_one, {.right = 1}},
       {"mask_off_by_one", off_by_one, {.right = -1}}},
      answer);
}

}  // namespace attention::multi_head
