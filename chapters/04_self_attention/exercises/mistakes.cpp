#include "exercises/mistakes.hpp"

#include <cmath>
#include <limits>

#include "exercise/attention_mistakes.hpp"

namespace attention::self_attention {

namespace {

using exercise::Arrays;
using Matrix = std::vector<double>;

/// What is wrong with the rotation of queries and keys.
enum class Turn { right, none, halves, backwards, query_only, value_too };

struct Fault {
  double scale_power = -0.5;  ///< the scale is dim to this power
  bool all_keys = false;
  bool no_future_mask = false;
  Index left = 0, right = 0;  ///< keys more that are seen on either side
  bool heads_first = false;
  bool transposed_key = false;
  Turn turn = Turn::right;
};

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// X W of one head: [n × dim].
Matrix project(const Problem& p, Index b, const Tensor<3>& weight, Index h, bool heads_first) {
  Matrix all(at(p.n() * p.dim()));
  for (Index i = 0; i < p.n(); ++i)
    for (Index k = 0; k < p.width(); ++k) {
      const auto x = static_cast<double>(p.input.data()[(b * p.n() + i) * p.width() + k]);
      const float* row = weight.data() + (heads_first ? h * p.width() + k : k * p.heads() + h) * p.dim();
      for (Index c = 0; c < p.dim(); ++c) all[at(i * p.dim() + c)] += x * static_cast<double>(row[c]);
    }
  return all;
}

/// Rotates the rows of Q, K or V by their positions.
void turn(const Problem& p, Matrix& rows, Turn how) {
  const Index half = p.dim() / 2;
  for (Index i = 0; i < p.n(); ++i)
    for (Index pair = 0; pair < half; ++pair) {
      const double angle = rotary_angle(p.first_position + i, pair, p.dim()) * (how == Turn::backwards ? -1 : 1);
      double& x = rows[at(i * p.dim() + (how == Turn::halves ? pair : 2 * pair))];
      double& y = rows[at(i * p.dim() + (how == Turn::halves ? pair + half : 2 * pair + 1))];
      const double turned = x * std::cos(angle) - y * std::sin(angle);
      y = y * std::cos(angle) + x * std::sin(angle);
      x = turned;
    }
}

KeyRange keys_of(const Problem& p, const Fault& fault, Index i) {
  if (fault.all_keys) return {0, p.n()};
  Mask mask = p.mask;
  if (mask.left != Mask::everything) mask.left += fault.left;
  if (mask.right != Mask::everything) mask.right += fault.right;
  if (fault.no_future_mask) mask.right = Mask::everything;
  return mask.keys_of(i, p.n());
}

/// Self-attention in float64 with a fault; without positions, or with rotary ones.
Arrays answer(const Problem& p, const Fault& fault, exercise::SoftmaxFault softmax) {
  const Index n = p.n();
  const Index dim = p.dim();
  const double scale = std::pow(static_cast<double>(dim), fault.scale_power);
  Arrays all{Matrix(at(p.batch() * n * p.heads() * dim)), {}, {}};
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      Matrix Q = project(p, b, p.query_weight, h, fault.heads_first);
      Matrix K = project(p, b, p.key_weight, h, fault.heads_first);
      Matrix V = project(p, b, p.value_weight, h, fault.heads_first);
      if (p.positions == Positions::rotary && fault.turn != Turn::none) {
        turn(p, Q, fault.turn);
        if (fault.turn != Turn::query_only) turn(p, K, fault.turn);
        if (fault.turn == Turn::value_too) turn(p, V, fault.turn);
      }
      Matrix scores(at(n * n), -std::numeric_limits<double>::infinity());
      for (Index i = 0; i < n; ++i)
        for (Index j = keys_of(p, fault, i).first; j < keys_of(p, fault, i).last; ++j) {
          double score = 0;
          for (Index c = 0; c < dim; ++c)
            score += Q[at(i * dim + c)] * K[at(fault.transposed_key ? c * n + j : j * dim + c)];
          scores[at(i * n + j)] = score * scale;
        }
      const exercise::Attended head = exercise::attend(scores, V, n, n, dim, softmax);
      for (Index i = 0; i < n; ++i)
        std::copy_n(head.output.begin() + i * dim, dim, all[0].begin() + ((b * n + i) * p.heads() + h) * dim);
      exercise::append(all[1], head.lse);
    }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<Problem>> mistakes() {
  const std::string off_by_one =
      "The mask is off by one: token i sees itself and those before it (in a window of w, the w − 1 before it); "
      "p.keys_of(i) says so.";
  return exercise::attention_mistakes<Problem, Fault>(
      {{"no_scale", "The scores are not divided by sqrt(dim).", {.scale_power = 0}},
       {"wrong_scale", "The scores are divided by dim instead of sqrt(dim).", {.scale_power = -1}},
       {"mask_ignored", "The mask is ignored: every token sees all others, the later ones too.", {.all_keys = true}},
       {"mask_ignored", "The future is not masked: only the window's left end is kept.", {.no_future_mask = true}},
       {"mask_off_by_one", off_by_one, {.right = 1}},
       {"mask_off_by_one", off_by_one, {.right = -1}},
       {"mask_off_by_one", off_by_one, {.left = 1}},
       {"mask_off_by_one", off_by_one, {.left = -1}},
       {"transposed_weights",
        "The weights are read as [heads, width, dim]; they are [width, heads, dim]: row k of head h begins at (k * "
        "heads + h) * dim.",
        {.heads_first = true}},
       {"transposed_key",
        "K is read as its transpose: entry c of key j stands at j * dim + c.",
        {.transposed_key = true}},
       {"not_rotated", "Queries and keys are not rotated by their positions.", {.turn = Turn::none}},
       {"rotary_halves",
        "The rotation pairs entry c with entry c + dim/2; the paper pairs neighbours, (2c, 2c + 1).",
        {.turn = Turn::halves}},
       {"rotated_backwards",
        "The rotation turns the other way: x cos − y sin, and y cos + x sin.",
        {.turn = Turn::backwards}},
       {"key_not_rotated",
        "Only the queries are rotated; the keys must be, too, so that their difference counts.",
        {.turn = Turn::query_only}},
       {"value_rotated",
        "The values are rotated as well: positions belong into the scores alone.",
        {.turn = Turn::value_too}}},
      answer);
}

}  // namespace attention::self_attention
