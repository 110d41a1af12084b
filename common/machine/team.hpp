#pragma once

#include <omp.h>

#include <algorithm>
#include <limits>

#include "machine/clock.hpp"

namespace attention::machine {

/// Calls body(thread) on `threads` threads that start together; seconds from the first start to the last end.
/// The threads are those that use_threads pinned.
template <class Body>
double team_seconds(int threads, const Body& body) {
  double first_start = std::numeric_limits<double>::infinity();
  double last_end = 0;
#pragma omp parallel num_threads(threads) reduction(min : first_start) reduction(max : last_end)
  {
    const int thread = omp_get_thread_num();
#pragma omp barrier
    first_start = now_seconds();
    body(thread);
    last_end = now_seconds();
  }
  return last_end - first_start;
}

/// The best rate of repeated short runs until `seconds` are over (one run at least): `work` of all threads
/// together per second. Short runs, since only one that nothing interrupts shows what the machine can do.
template <class Body>
double best_rate(int threads, double seconds, double work, const Body& body) {
  double best = 0;
  const double end = now_seconds() + seconds;
  do {
    best = std::max(best, work / team_seconds(threads, body));
  } while (now_seconds() < end);
  return best;
}

}  // namespace attention::machine
