#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ladder/cost.hpp"
#include "ladder/peer.hpp"
#include "ladder/shape.hpp"
#include "program/json.hpp"

namespace attention::ladder {

enum class Status {
  ok,
  sampled,  ///< timed on some rows; times are scaled up to all of them
  skipped,  ///< not run; `reason` says why
};

/// What is said of a peer beside its times.
struct PeerReport {
  PeerInfo info;
  double around_s = 0;  ///< median time around the call; where the library times its operator itself, median_s is that
  bool own_time = false;  ///< whether it does
};

/// What one rung, or peer, did on one problem with one number of threads.
struct Measurement {
  std::string mechanism;
  std::string rung;
  std::string idea;
  bool beside = false;
  bool variant = false;
  Shape shape;
  int threads = 1;
  Status status = Status::ok;
  std::string reason;

  double median_s = 0;   ///< wall time of one run over the whole problem
  double spread_s = 0;   ///< half the distance between the quartiles
  double aa_spread = 0;  ///< the rung against itself: |1 − median of one half of its runs / median of the other|
  int runs = 0;
  std::vector<double> times_s;  ///< of the timed runs, in their order, each over the whole problem
  Cost cost;                    ///< of the whole problem
  double gflops = 0;        ///< 10⁹ FLOP/s of the cost model
  double gbytes_per_s = 0;  ///< 10⁹ byte/s of the bytes that must move
  std::string roof_kind;    ///< which roof binds: fma, bf16, bandwidth, exp, reciprocal
  double roof_value = 0;    ///< its height, per second: FLOP, bytes, exponentials, divisions
  double roof_share = 0;    ///< 0 to 1
  std::optional<double> peak_extra_bytes;  ///< growth of the high-water mark; predicted from the sizes where sampled
  bool peak_predicted = false;
  double max_error = 0;    ///< largest difference from the reference, relative to its largest value; worse of before and after
  double error_bound = 0;  ///< what rounding explains, likewise
  Index checked_rows = 0;  ///< of all heads together
  Index timed_rows = 0;    ///< of each head
  Index rows = 0;          ///< of each head

  std::optional<double> speedup_previous;  ///< over the rung before it, with the same threads
  std::optional<double> speedup_first;     ///< over the first rung measured
  bool within_noise = false;               ///< the speed-up over the last rung is inside the A/A spread

  std::optional<PeerReport> peer;  ///< where it was a peer that ran
};

const char* status_name(Status status);

/// One object of a result file's "results".
Json to_json(const Measurement& m);

/// The measurements as CSV with a header line; one column a key of the JSON, sizes as a column each.
std::string to_csv(const std::vector<Measurement>& measurements);

/// The ladder as a table for the terminal; a legend follows where a mark was used.
std::string to_table(const std::vector<Measurement>& measurements);

/// 0.00123 → "1.23 ms"; 3 significant digits.
std::string format_seconds(double seconds);
/// 2400000000 → "2.4 GB"; decimal units.
std::string format_bytes(double bytes);

}  // namespace attention::ladder
