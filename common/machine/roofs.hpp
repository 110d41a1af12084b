#pragma once

#include <array>
#include <map>
#include <string_view>
#include <vector>

#include "machine/bandwidth.hpp"

namespace attention::machine {

/// What the machine can do at most, all threads together.
struct RoofValues {
  double fma = 0;         ///< float32 operations per second, a multiply-add counting as two
  double bf16 = 0;        ///< the same of bfloat16 by the dot-product instruction; without it, that of float32
  double read = 0;        ///< bytes per second from memory
  double write = 0;       ///< bytes per second to memory
  double copy = 0;        ///< bytes per second, read and written ones together
  double exp = 0;         ///< evaluations of 2^x per second
  double reciprocal = 0;  ///< divisions 1/x per second
};

/// A roof's name, its unit, what it means, and where RoofValues holds it.
struct RoofField {
  std::string_view name;
  std::string_view unit;
  std::string_view meaning;
  double RoofValues::*value;
};

inline constexpr std::array<RoofField, 7> roof_fields{{
    {"fma", "FLOP/s", "multiply-adds on registers only, two operations each", &RoofValues::fma},
    {"bf16", "FLOP/s", "the same of bfloat16 in pairs, where the processor has an instruction for it", &RoofValues::bf16},
    {"read", "B/s", "reading buffers far larger than the caches", &RoofValues::read},
    {"write", "B/s", "writing them", &RoofValues::write},
    {"copy", "B/s", "copying them, bytes read and bytes written together", &RoofValues::copy},
    {"exp", "1/s", "2^x on values in the first-level cache", &RoofValues::exp},
    {"reciprocal", "1/s", "divisions 1/x on values in the first-level cache", &RoofValues::reciprocal},
}};

/// Which roofs to measure again.
enum class Rates { all, arithmetic, memory };

/// The roofs of this run, for each number of threads. Measured when first asked for, which takes about a
/// second, and again as often as refresh is called. For the main thread; the number of threads in use is the
/// same afterwards.
class Roofs {
 public:
  /// The best of all measurements of this run: the roof. Errors as BandwidthProbe::measure.
  const RoofValues& values(int threads);

  /// The medians of these measurements, and their spread: (largest - smallest) / median.
  const RoofValues& median(int threads);
  const RoofValues& spread(int threads);

  /// How often the roofs of `threads` were measured in this run.
  int measurements(int threads) const;

  /// Measures once more, for some 40 ms (10 ms for arithmetic alone, 20 ms for memory alone). Call it before and after what
  /// is held against the roof: machines slow down and speed up.
  void refresh(int threads, Rates rates = Rates::all);

  /// The thread counts measured so far, rising.
  std::vector<int> thread_counts() const;

  /// Gives the buffers of the bandwidth measurement back (hundreds of megabytes); they are taken again when
  /// needed.
  void release_memory() { probe_.release(); }

 private:
  struct History {
    int measurements = 0;
    std::array<std::vector<double>, roof_fields.size()> all;  // of each field
    RoofValues best;
    RoofValues median;
    RoofValues spread;
  };

  const History& history(int threads);
  void add(int threads, const RoofValues& measured);

  BandwidthProbe probe_;
  std::map<int, History> histories_;
};

}  // namespace attention::machine
