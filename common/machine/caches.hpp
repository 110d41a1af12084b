#pragma once

#include <cstddef>

namespace attention::machine {

/// One level of the data caches. 0 stands for "there is none" or "the system does not say".
struct Cache {
  std::size_t bytes = 0;       ///< size of one instance
  std::size_t line_bytes = 0;  ///< size of a line
  int shared_by = 0;           ///< CPUs that share one instance
};

struct Caches {
  Cache l1d;
  Cache l2;
  Cache l3;

  /// Bytes of the largest cache that there is; positive always.
  std::size_t last_level_bytes() const;
};

/// The caches of the first CPU that the program was started on; read once.
const Caches& caches();

/// Bytes of all last-level caches together that `threads` threads, placed as use_threads does, work with.
std::size_t last_level_bytes(int threads);

struct Memory {
  std::size_t total_bytes;      ///< of the machine, or of the control group where that allows less
  std::size_t available_bytes;  ///< what can be taken now without swapping, within the control group's limit
};

/// Memory now.
Memory memory();

}  // namespace attention::machine
