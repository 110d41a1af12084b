#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace attention::ladder {

/// What a peer says of itself once it is ready.
struct PeerInfo {
  std::string version;  ///< of the library
  std::string kernel;   ///< which of its ways it takes here
  int threads = 1;
  int copies = 1;       ///< of the inputs in memory, over which its runs go round
};

/// Why a peer takes no part, or no part any longer: it is not installed, does not support the problem, crashed, hangs. One
/// line. The benchmark goes on without it.
class PeerFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Somebody else's implementation, which computes the same problem beside the ladder, in a process of its own. It takes no
/// processor time while it is not asked. All calls throw PeerFault.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual const PeerInfo& info() const = 0;
  /// Runs so many times; the seconds of each run, by the peer's own clock around the call of its library.
  virtual std::vector<double> run(int runs) = 0;
  /// The principal array that the last run has left, row-major as the mechanism has it.
  virtual std::vector<float> answer() = 0;
  /// The seconds of the operator alone, of every run since the beginning, where the library has a profiler; else empty. The
  /// last call.
  virtual std::vector<double> operator_seconds() = 0;
};

/// A peer that can be opened for one problem.
struct PeerSource {
  std::string name;  ///< the entry in the results is "peer:NAME"
  std::string idea;  ///< one line: what it computes with
  std::function<std::unique_ptr<Peer>(int threads, int copies)> open;
};

}  // namespace attention::ladder
