// Batches: every pair once an epoch, like lengths together, the same whatever was asked before.
#include <algorithm>
#include <map>
#include <set>

#include "batches.hpp"
#include "catch.hpp"

using namespace attention::sequence_to_sequence;

namespace {

std::vector<Pair> pairs_of(std::size_t count) {
  std::vector<Pair> pairs(count);
  for (std::size_t i = 0; i < count; ++i) {
    pairs[i].source.assign(1 + i * 7 % 13, first_symbol);
    pairs[i].target.assign(1 + i * 5 % 11, first_symbol);
  }
  return pairs;
}

}  // namespace

TEST_CASE("an epoch holds every pair once, in another order than the next", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = pairs_of(1003);
  const Batches batches(pairs, 32, 4, 5);
  std::vector<const Pair*> orders[2];
  for (int epoch = 0; epoch < 2; ++epoch) {
    std::set<const Pair*> seen;
    double spread = 0;
    for (Index step = 0; step < batches.steps_per_epoch(); ++step) {
      Index targets = 0;
      std::size_t shortest = 100, longest = 0;
      for (int part = 0; part < 4; ++part)
        for (const Pair* pair : batches.part(epoch * batches.steps_per_epoch() + step, part)) {
          CHECK(seen.insert(pair).second);
          orders[epoch].push_back(pair);
          targets += std::ssize(pair->target) + 1;
          shortest = std::min(shortest, pair->source.size());
          longest = std::max(longest, pair->source.size());
        }
      CHECK(targets == batches.targets(epoch * batches.steps_per_epoch() + step));
      spread += static_cast<double>(longest - shortest);
    }
    CHECK(seen.size() == pairs.size());
    // Lengths are 1 to 13, 77 of each: of 32 neighbours in the order of lengths at most two meet, or three.
    CHECK(spread / static_cast<double>(batches.steps_per_epoch()) <= 2);
  }
  CHECK(orders[0] != orders[1]);
}

TEST_CASE("a step's batch is the same whatever was asked before, and another with another seed", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = pairs_of(200);
  const Batches one(pairs, 16, 2, 5), two(pairs, 16, 2, 5), other(pairs, 16, 2, 6);
  const auto late = one.part(50, 1);
  two.part(3, 0);
  two.part(27, 1);
  CHECK(two.part(50, 1) == late);
  CHECK(other.part(50, 1) != late);
  CHECK_THROWS_AS(Batches(pairs, 1, 2, 1), std::invalid_argument);
}

TEST_CASE("sequences are closed, filled up and shifted", "[sequence_to_sequence]") {
  const Symbols a{7, 8}, b{9};
  const Padded closed_ones = closed({&a, &b});
  CHECK(closed_ones.time == 3);
  CHECK(closed_ones.lengths == std::vector<Index>{3, 2});
  CHECK(closed_ones.symbols == std::vector<Index>{7, 9, 8, end_mark, end_mark, padding});
  CHECK(shifted(closed_ones).symbols == std::vector<Index>{begin_mark, begin_mark, 7, 9, 8, end_mark});
}
