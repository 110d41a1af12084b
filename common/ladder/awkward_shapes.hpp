#pragma once

#include <vector>

#include "ladder/mechanism.hpp"

namespace attention::ladder {

/// Shapes on which rungs break: sizes of 1, primes, powers of two and their neighbours, the rungs' own tile edges and
/// theirs, mixed so that each size of each key occurs, with `choices` random choices of the others. None costs more
/// than `most_flops`, an exponential counting as twenty additions. `fixed` keeps some sizes as they are given.
std::vector<Shape> awkward_shapes(const AnyMechanism& mechanism, double most_flops, int choices,
                                  const std::vector<std::pair<std::string, Index>>& fixed = {});

}  // namespace attention::ladder
