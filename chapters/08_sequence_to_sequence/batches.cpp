#include "batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "numerics/shuffle.hpp"

namespace attention::sequence_to_sequence {

namespace {

/// So many batches are sorted by length together: enough that a batch is of like lengths, few enough that it is a new one in
/// every epoch.
constexpr Index sorted_together = 20;

}  // namespace

Padded closed(const std::vector<const Symbols*>& sequences) {
  Padded padded;
  padded.batch = std::ssize(sequences);
  for (const Symbols* sequence : sequences) {
    padded.lengths.push_back(std::ssize(*sequence) + 1);
    padded.time = std::max(padded.time, padded.lengths.back());
  }
  padded.symbols.assign(size(padded.time * padded.batch), padding);
  for (Index b = 0; b < padded.batch; ++b) {
    const Symbols& sequence = *sequences[size(b)];
    for (Index t = 0; t < std::ssize(sequence); ++t) padded.symbols[size(t * padded.batch + b)] = sequence[size(t)];
    padded.symbols[size(std::ssize(sequence) * padded.batch + b)] = end_mark;
  }
  return padded;
}

Padded shifted(const Padded& targets) {
  Padded given = targets;
  const auto batch = static_cast<std::ptrdiff_t>(targets.batch);
  std::fill_n(given.symbols.begin(), batch, Index{begin_mark});
  std::copy(targets.symbols.begin(), targets.symbols.end() - batch, given.symbols.begin() + batch);
  return given;
}

Batches::Batches(const std::vector<Pair>& pairs, Index batch, int parts, std::uint64_t seed)
    : pairs_(pairs), batch_(batch), parts_(parts), seed_(seed), steps_(std::max<Index>(1, std::ssize(pairs) / std::max<Index>(1, batch))) {
  if (std::ssize(pairs) < parts || batch < parts)
    throw std::invalid_argument(fmt::format("{} pairs in batches of {} cannot be split into {} parts", pairs.size(), batch, parts));
}

void Batches::shuffle(std::int64_t epoch) const {
  if (epoch == epoch_) return;
  numerics::Random random(seed_ * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(epoch) + 1);
  order_.resize(pairs_.size());
  std::iota(order_.begin(), order_.end(), 0U);
  numerics::shuffle(std::span(order_.data(), order_.size()), random);
  const std::size_t chunk = size(sorted_together * batch_);
  const auto lengths = [&](std::uint32_t i) { return std::pair(pairs_[i].source.size(), pairs_[i].target.size()); };
  for (std::size_t first = 0; first < order_.size(); first += chunk) {
    const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = order_.begin() + static_cast<std::ptrdiff_t>(std::min(order_.size(), first + chunk));
    std::stable_sort(begin, end, [&](std::uint32_t a, std::uint32_t b) { return lengths(a) < lengths(b); });
  }
  // Short words must not come before long ones in every stretch of 20 batches.
  turn_.resize(size(steps_));
  std::iota(turn_.begin(), turn_.end(), 0U);
  numerics::shuffle(std::span(turn_.data(), turn_.size()), random);
  epoch_ = epoch;
}

std::vector<std::uint32_t> Batches::batch_of(std::int64_t step) const {
  const std::scoped_lock lock(mutex_);
  shuffle(step / steps_);
  // Pairs that do not fill another batch are spread over the others.
  const Index number = turn_[size(step % steps_)], count = std::ssize(order_);
  const Index first = number * count / steps_, last = (number + 1) * count / steps_;
  return {order_.begin() + first, order_.begin() + last};
}

std::vector<const Pair*> Batches::part(std::int64_t step, int part) const {
  const std::vector<std::uint32_t> batch = batch_of(step);
  const Index count = std::ssize(batch);
  std::vector<const Pair*> chosen;
  for (Index i = part * count / parts_; i < (part + 1) * count / parts_; ++i) chosen.push_back(&pairs_[batch[size(i)]]);
  return chosen;
}

Index Batches::targets(std::int64_t step) const {
  Index count = 0;
  for (const std::uint32_t i : batch_of(step)) count += std::ssize(pairs_[i].target) + 1;
  return count;
}

}  // namespace attention::sequence_to_sequence
