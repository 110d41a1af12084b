#pragma once

#include <functional>
#include <vector>

#include "ladder/measurement.hpp"
#include "ladder/mechanism.hpp"
#include "ladder/peak_memory.hpp"
#include "machine/roofs.hpp"

namespace attention::ladder {

/// How a ladder is climbed.
struct ClimbOptions {
  std::vector<std::size_t> rungs;  ///< positions in the ladder; empty: all
  std::vector<int> threads = {1};
  double seconds = 0.5;         ///< of timed runs, for each rung and number of threads
  int least_runs = 5;           ///< but so many at least (two of a sample, or where a run takes longer than `seconds`; three where it takes a
                                ///< quarter of it)
  double sample_above_s = 10;   ///< a rung predicted to take longer runs on a sample of the rows
  std::vector<std::size_t> whole; ///< rungs that run on all rows however long they take
  double reference_flops = 4e9; ///< the reference is computed for as many rows as this allows, never less than a sample
  int check_threads = 0;        ///< threads that the checks use, whose time is nobody's; 0: those being measured
  /// Runs the rung in a process of its own; empty: its peak memory is not asked.
  std::function<std::optional<PeakRun>(std::size_t rung, int threads, PeakPlace place)> peak_memory;
  /// Implementations of others that are measured among the rungs; after them in the result. One that fails is skipped, with
  /// the reason.
  std::vector<PeerSource> peers;
  /// Told what is being done.
  std::function<void(const std::string&)> note;
};

/// Climbs the ladder on one problem: checks every rung against the reference, times the rungs interleaved at random, checks
/// them again, and measures the roofs around every run.
///
/// Skipped, with the reason: a rung whose workspace does not fit in memory, and a serial rung with several threads where it
/// has been measured with one. Throws CheckFailed where a rung is wrong or takes more than 102 % of its roof: then the
/// figures mean nothing.
std::vector<Measurement> climb(const AnyMechanism& mechanism, Trial& trial, const ClimbOptions& options,
                               machine::Roofs& roofs);

}  // namespace attention::ladder
