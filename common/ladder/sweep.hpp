#pragma once

#include "ladder/climb.hpp"

namespace attention::ladder {

/// Time and memory along one line of sizes (or over the threads), and the law that they follow.
struct SweepResult {
  std::string name;                  ///< "n", "dim", "threads"
  std::vector<std::string> keys;     ///< shape keys that moved
  std::string base;                  ///< the sizes that did not
  std::vector<Index> values;
  std::vector<Measurement> measurements;

  /// time ∝ x^exponent over the upper half of the values, where constant costs no longer show.
  struct Fit {
    std::string rung;
    int threads = 1;
    std::string quantity;  ///< median_s or peak_extra_bytes
    double exponent = 0;
    double r_squared = 0;
    Index from = 0;
    Index to = 0;
  };
  std::vector<Fit> fits;

  /// Where one rung becomes faster than another: the order changes, by more than the noise and by a tenth on either
  /// side.
  struct Crossover {
    std::string slower_first;  ///< slower below, faster above
    std::string faster_first;
    int threads = 1;
    double at = 0;  ///< interpolated in the logarithms
  };
  std::vector<Crossover> crossovers;
};

/// Measures `sweep` with the rungs, threads and limits of `options`; the values larger than `largest` are left out.
/// `memory`: the peak memory of every rung at every size too, in a process each. Throws as climb does.
SweepResult run_sweep(const AnyMechanism& mechanism, const Sweep& sweep, Index largest, bool memory,
                      const ClimbOptions& options, machine::Roofs& roofs);

/// The numbers of threads along which scaling is looked at: 1, 2, 4 … and `most`.
std::vector<int> thread_counts(int most);

/// What has been measured of one shape with several numbers of threads, as a sweep over them.
SweepResult over_threads(const std::string& shape, std::vector<Measurement> measurements);

Json to_json(const SweepResult& result);

}  // namespace attention::ladder
