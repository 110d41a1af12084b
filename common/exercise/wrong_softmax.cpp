#include "exercise/wrong_softmax.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace attention::exercise {

namespace {

using Kind = SoftmaxFault::Kind;
constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

class Attention {
 public:
  Attention(const std::vector<double>& scores, const std::vector<double>& value, Index queries, Index keys,
            Index value_dim, SoftmaxFault fault)
      : scores_(scores),
        value_(value),
        queries_(queries),
        keys_(keys),
        value_dim_(value_dim),
        fault_(fault),
        seen_(fault.kind == Kind::last_keys ? keys / fault.tile * fault.tile : keys) {
    out_.output.resize(at(queries * value_dim));
    out_.lse.resize(at(queries));
    out_.weights.resize(at(queries * keys));
  }

  Attended run() {
    for (Index i = 0; i < queries_; ++i) {
      if (sees_nothing(i, keys_)) {
        out_.lse[at(i)] = minus_infinity;
      } else if (sees_nothing(i, seen_)) {
        leave_open(i);
      } else if (fault_.kind == Kind::stale_both || fault_.kind == Kind::stale_sum ||
                 fault_.kind == Kind::stale_output) {
        online(i);
      } else if (fault_.kind == Kind::no_maximum || fault_.kind == Kind::maximum_from_zero) {
        in_float(i);
      } else if (fault_.kind != Kind::over_queries) {
        plain(i);
      }
    }
    if (fault_.kind == Kind::over_queries) over_queries();
    if (fault_.kind == Kind::stale_both || fault_.kind == Kind::stale_sum || fault_.kind == Kind::stale_output)
      out_.weights.clear();
    if (fault_.kind == Kind::not_normalised || fault_.kind == Kind::over_queries) out_.lse.clear();
    return std::move(out_);
  }

 private:
  double score(Index i, Index j) const { return scores_[at(i * keys_ + j)]; }
  bool sees_nothing(Index i, Index keys) const {
    return std::all_of(scores_.begin() + i * keys_, scores_.begin() + i * keys_ + keys,
                       [](double s) { return s == minus_infinity; });
  }
  double largest_of(Index i, Index first, Index last) const {
    double largest = minus_infinity;
    for (Index j = first; j < last; ++j) largest = std::max(largest, score(i, j));
    return largest;
  }
  /// output_i += weight · value_j
  void add(Index i, Index j, double weight) {
    for (Index c = 0; c < value_dim_; ++c)
      out_.output[at(i * value_dim_ + c)] += weight * value_[at(j * value_dim_ + c)];
  }
  void scale(Index i, double factor) {
    for (Index c = 0; c < value_dim_; ++c) out_.output[at(i * value_dim_ + c)] *= factor;
  }

  void leave_open(Index i) {
    std::fill_n(out_.output.begin() + i * value_dim_, value_dim_, unknown);
    std::fill_n(out_.weights.begin() + i * keys_, keys_, unknown);
    out_.lse[at(i)] = unknown;
  }

  void plain(Index i) {
    const double largest = largest_of(i, 0, seen_);
    double total = 0;
    for (Index j = 0; j < seen_; ++j) {
      const double s = score(i, j) - largest;
      total += out_.weights[at(i * keys_ + j)] = fault_.kind == Kind::base_two ? std::exp2(s) : std::exp(s);
    }
    const double divisor = fault_.kind == Kind::not_normalised ? 1 : total;
    for (Index j = 0; j < seen_; ++j) add(i, j, out_.weights[at(i * keys_ + j)] /= divisor);
    out_.lse[at(i)] = (fault_.kind == Kind::lse_without_maximum ? 0 : largest) + std::log(total);
  }

  /// As float32 has it: here the range of the numbers is the mistake.
  void in_float(Index i) {
    const float largest =
        fault_.kind == Kind::no_maximum ? 0 : static_cast<float>(std::max(0.0, largest_of(i, 0, keys_)));
    float total = 0;
    std::vector<float> weights(at(keys_));
    for (Index j = 0; j < keys_; ++j) total += weights[at(j)] = std::exp(static_cast<float>(score(i, j)) - largest);
    // Near the ends of float32's range the order of the operations decides.
    if ((total > 0 && total < 1e-35F) || (total > 1e35F && std::isfinite(total))) return leave_open(i);
    for (Index j = 0; j < keys_; ++j)
      add(i, j, out_.weights[at(i * keys_ + j)] = static_cast<double>(weights[at(j)]) / static_cast<double>(total));
    out_.lse[at(i)] = static_cast<double>(largest + std::log(total));
  }

  void over_queries() {
    for (Index j = 0; j < keys_; ++j) {
      double largest = minus_infinity;
      for (Index i = 0; i < queries_; ++i) largest = std::max(largest, score(i, j));
      if (largest == minus_infinity) continue;
      double total = 0;
      for (Index i = 0; i < queries_; ++i) total += std::exp(score(i, j) - largest);
      for (Index i = 0; i < queries_; ++i)
        add(i, j, out_.weights[at(i * keys_ + j)] = std::exp(score(i, j) - largest) / total);
    }
  }

  void online(Index i) {
    double largest = minus_infinity;
    double total = 0;
    for (Index first = 0; first < keys_; first += fault_.tile) {
      const Index last = std::min(first + fault_.tile, keys_);
      const double now = std::max(largest, largest_of(i, first, last));
      if (now == minus_infinity) continue;
      const double correction = std::exp(largest - now);
      if (fault_.kind == Kind::stale_sum) scale(i, correction);
      if (fault_.kind == Kind::stale_output) total *= correction;
      for (Index j = first; j < last; ++j) {
        const double weight = std::exp(score(i, j) - now);
        total += weight;
        add(i, j, weight);
      }
      largest = now;
    }
    scale(i, 1 / total);
    out_.lse[at(i)] = largest + std::log(total);
  }

  const std::vector<double>& scores_;
  const std::vector<double>& value_;
  Index queries_, keys_, value_dim_;
  SoftmaxFault fault_;
  Index seen_;
  Attended out_;
};

std::vector<NamedSoftmaxFault> list() {
  std::vector<NamedSoftmaxFault> all{
      {"no_maximum",
       "The maximum is not subtracted before exp: e^89 is beyond float32, and inf / inf is no number.",
       {Kind::no_maximum}},
      {"maximum_from_zero",
       "The search for the maximum begins at 0: where all scores are far below, every exponential is 0. Begin at −inf.",
       {Kind::maximum_from_zero}},
      {"softmax_over_queries",
       "The softmax runs over the wrong axis: the weights of a key sum to 1 over the queries, not those of a query "
       "over the keys.",
       {Kind::over_queries}},
      {"not_normalised",
       "The weights are not divided by their sum: a row of them does not sum to 1.",
       {Kind::not_normalised}},
      {"base_two", "2^x stands for e^x: the scores must be multiplied by log2(e) first.", {Kind::base_two}},
      {"lse_without_maximum",
       "The log-sum-exp is the logarithm of the sum alone: the maximum that was subtracted must be added again.",
       {Kind::lse_without_maximum}}};
  for (const Index tile : {1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 100, 128, 256, 512}) {
    const std::string keys = tile == 1 ? "key by key" : fmt::format("in tiles of {} keys", tile);
    all.push_back(
        {"stale_output",
         fmt::format(
             "Online softmax, {}: where the maximum grows the output so far is not scaled down by exp(old − new).",
             keys),
         {Kind::stale_output, tile}});
    all.push_back(
        {"stale_sum",
         fmt::format("Online softmax, {}: where the maximum grows the sum so far is not scaled down by exp(old − new).",
                     keys),
         {Kind::stale_sum, tile}});
    all.push_back(
        {"stale_maximum",
         fmt::format("Online softmax, {}: where the maximum grows, what was summed with the old one is left as it was; "
                     "sum and output must be scaled down by exp(old − new).",
                     keys),
         {Kind::stale_both, tile}});
    if (tile > 1)
      all.push_back(
          {"last_tile",
           fmt::format("The keys beyond the last whole {} are left out: the loop over tiles of keys forgets the last, "
                       "shorter one. A tile ends at min(first + {}, keys).",
                       tile, tile),
           {Kind::last_keys, tile}});
  }
  return all;
}

}  // namespace

const std::vector<NamedSoftmaxFault>& softmax_faults() {
  static const std::vector<NamedSoftmaxFault> all = list();
  return all;
}

Attended attend(const std::vector<double>& scores, const std::vector<double>& value, Index queries, Index keys,
                Index value_dim, SoftmaxFault fault) {
  return Attention(scores, value, queries, keys, value_dim, fault).run();
}

}  // namespace attention::exercise
