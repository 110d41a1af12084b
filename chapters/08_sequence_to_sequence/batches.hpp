#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::sequence_to_sequence {

using tensor::Index;

/// Symbols by number. Both sides of a task number theirs in the same way: first these, then its own.
using Symbols = std::vector<int>;
inline constexpr int padding = 0;
inline constexpr int unknown = 1;
inline constexpr int begin_mark = 2;  ///< what the decoder is given before its first step
inline constexpr int end_mark = 3;    ///< closes every source and every target
inline constexpr int first_symbol = 4;

/// A sequence and one that it is to become; neither holds a mark.
struct Pair {
  Symbols source;
  Symbols target;
};

/// Sequences side by side, filled up to the longest with `padding`, time-major: element t of sequence b is at t · batch + b.
struct Padded {
  Index time = 0;
  Index batch = 0;
  std::vector<Index> symbols;  ///< [time, batch]
  std::vector<Index> lengths;  ///< [batch]
};

/// The sequences, each closed by an end mark.
Padded closed(const std::vector<const Symbols*>& sequences);
/// The same as the decoder is given them in training: a begin mark, then all but the last (teacher forcing).
Padded shifted(const Padded& targets);

/// The batches of a training, each of about `batch` pairs of like length. Epoch e is shuffled by (seed, e) alone, so that step s is always the same
/// batch, whatever was asked for before. May be asked by several threads at once.
class Batches {
 public:
  /// `pairs` must live as long. Throws std::invalid_argument where there are none, or not at least one for each part.
  Batches(const std::vector<Pair>& pairs, Index batch, int parts, std::uint64_t seed);

  Index steps_per_epoch() const { return steps_; }
  /// The pairs of one part of the batch of a step.
  std::vector<const Pair*> part(std::int64_t step, int part) const;
  /// Symbols that the decoder has to say in the whole batch of a step, end marks with them.
  Index targets(std::int64_t step) const;

 private:
  /// The pairs' numbers in the order of an epoch.
  void shuffle(std::int64_t epoch) const;
  std::vector<std::uint32_t> batch_of(std::int64_t step) const;

  const std::vector<Pair>& pairs_;
  Index batch_;
  int parts_;
  std::uint64_t seed_;
  Index steps_;
  mutable std::mutex mutex_;
  mutable std::int64_t epoch_ = -1;
  mutable std::vector<std::uint32_t> order_;
  mutable std::vector<std::uint32_t> turn_;  ///< which batch of the order a step takes
};

}  // namespace attention::sequence_to_sequence
