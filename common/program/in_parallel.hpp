#pragma once

#include <cstddef>
#include <exception>
#include <vector>

namespace attention::program {

/// Calls work(i) for every i below `count`, by all threads, each taking the next one when it is done. An exception may not leave a
/// thread: the one of the lowest i is thrown when all are done.
template <class Work>
void in_parallel(std::size_t count, Work work) {
  std::vector<std::exception_ptr> faults(count);
#pragma omp parallel for schedule(dynamic, 1)
  for (std::size_t i = 0; i < count; ++i) try {
      work(i);
    } catch (...) {
      faults[i] = std::current_exception();
    }
  for (const std::exception_ptr& fault : faults)
    if (fault) std::rethrow_exception(fault);
}

}  // namespace attention::program
