#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ladder/mechanism.hpp"

namespace attention::ladder {

/// A run in a process of its own.
struct PeakRun {
  double bytes;    ///< how far it raised the high-water mark
  double seconds;  ///< how long it took
};

/// Where its threads run: pinned as ours are, as where the seconds count, or wherever the system finds room, beside us.
enum class PeakPlace { pinned, anywhere };

/// Measures how far a rung raises the high-water mark of memory: in a fresh process that makes the problem, runs this rung
/// once and nothing else. So what a library allocates for itself counts too, and nothing that ran before does.
class PeakMemory {
 public:
  /// The child makes the problem from shape and seed.
  PeakMemory(std::string mechanism, const Shape& shape, std::uint64_t seed);
  /// The child reads the problem's tensors, which are put into a temporary folder for as long as this object lives.
  /// Throws UserError where they cannot be written.
  PeakMemory(std::string mechanism, const Trial& trial);
  ~PeakMemory();
  PeakMemory(const PeakMemory&) = delete;
  PeakMemory& operator=(const PeakMemory&) = delete;

  /// Nothing where the child failed or the system does not tell.
  std::optional<PeakRun> measure(const std::string& rung, int threads, PeakPlace place = PeakPlace::pinned) const;

 private:
  std::string mechanism_;
  std::vector<std::string> source_;
  std::filesystem::path folder_;
};

/// The child's side: where the program was started as such a child it does its work, and the exit status is returned.
/// To be asked first in the main of every program that measures.
std::optional<int> serve_peak_memory(int argc, char** argv, const std::vector<MechanismPtr>& mechanisms);

}  // namespace attention::ladder
