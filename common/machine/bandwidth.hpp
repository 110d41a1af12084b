#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

namespace attention::machine {

/// Bytes per second between memory and the cores.
struct Bandwidth {
  double read = 0;
  double write = 0;
  double copy = 0;  ///< bytes read and bytes written together
};

/// Measures memory bandwidth again and again over the same buffers.
///
/// Each thread has a buffer of its own, first touched by itself (so that it lies in the memory nearest to
/// it); together they hold at least eight times the last-level caches, or a quarter of the available memory
/// where that is less. A run walks over a part of them and the next run over the next part, so that it finds
/// nothing of them in a cache, and stays short. Runs differ in the number of streams that a thread walks at
/// once (1, 2, 4, 8) and in a hint: reads may ask for lines ahead, writes may go past the caches. The best
/// run counts.
///
/// The buffers live until release(): a process whose peak memory is of interest must not measure bandwidth.
class BandwidthProbe {
 public:
  BandwidthProbe() = default;
  ~BandwidthProbe();
  BandwidthProbe(const BandwidthProbe&) = delete;
  BandwidthProbe& operator=(const BandwidthProbe&) = delete;

  /// Measures for about `seconds` with `threads` pinned threads. The first time for a number of threads tries
  /// every variant once, however long that takes; later ones try the best so far and, in turn, the others.
  /// Errors as use_threads; UserError where there is no memory for the buffers.
  Bandwidth measure(int threads, double seconds = 0.02);

  /// Bytes of the buffers held now.
  std::size_t held_bytes() const;

  /// Gives the buffers back; measure takes new ones when it is called again.
  void release();

 private:
  enum class Kind { read, write, copy };

  struct Buffer {
    float* data = nullptr;
    std::size_t bytes = 0;
  };

  /// What is known of one kind for one number of threads.
  struct History {
    std::vector<double> best;  // of each variant
    std::size_t next = 0;      // variant whose turn it is
  };

  void prepare(int threads);
  double measure(Kind kind, int threads, double seconds);
  double run(Kind kind, int threads, std::size_t variant);

  std::vector<Buffer> buffers_;   // of thread i
  std::size_t bytes_each_ = 0;    // used of each buffer, with the present number of threads
  std::size_t window_bytes_ = 0;  // of each buffer, walked by one run
  std::size_t position_ = 0;      // where the next run begins
  std::map<std::pair<Kind, int>, History> histories_;
};

/// One measurement with buffers of its own. Errors as BandwidthProbe::measure.
Bandwidth measure_bandwidth(int threads, double seconds = 0.1);

}  // namespace attention::machine
