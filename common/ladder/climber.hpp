#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ladder/climb.hpp"
#include "ladder/results.hpp"
#include "ladder/sweep.hpp"

namespace attention::ladder {

/// What a chapter's program measures of its ladders, the same in every chapter: its own problems, the standard shapes, the
/// sizes and the threads. Prints the tables as they come, and keeps them for ladder.json and scaling.json.
class Climber {
 public:
  /// `figures` takes the headline figures. All references must outlive the climber.
  Climber(const Results& results, machine::Roofs& roofs, int threads, bool quick, std::vector<Figure>& figures)
      : results_(results), roofs_(roofs), threads_(threads), quick_(quick), figures_(figures) {}

  /// Climbs on a problem of the chapter's own. `name` is what plots and lessons call it, unique in the chapter for this
  /// mechanism; `title` is what readers see. Throws as climb does.
  std::vector<Measurement> problem(const AnyMechanism& mechanism, const std::string& name, const std::string& title,
                                   Trial& trial, ClimbOptions options);

  /// The standard shapes, with one thread and with all; the headline shape for longer, with its peak memory, and with the
  /// numbers of threads between, which is the scaling over the threads. Adds the figures MECHANISM_RUNG_roof_share, …_roof_share_spread and …_peak_extra_bytes of the top rung.
  void standard_shapes(const AnyMechanism& mechanism);

  /// The mechanism's sweeps, with one thread.
  void sweeps(const AnyMechanism& mechanism);

  /// Writes ladder.json and scaling.json.
  void write() const;

 private:
  std::vector<Measurement> climb_and_keep(const AnyMechanism& mechanism, const std::string& name, const std::string& title,
                                          Trial& trial, ClimbOptions options, bool headline);
  void keep(const SweepResult& sweep, const AnyMechanism& mechanism);

  const Results& results_;
  machine::Roofs& roofs_;
  int threads_;
  bool quick_;
  std::vector<Figure>& figures_;
  Json problems_ = Json::array();
  Json sweeps_ = Json::array();
};

/// The measurement of `rung` with `threads`; null where it was not made or was skipped.
const Measurement* find_measurement(const std::vector<Measurement>& all, std::string_view rung, int threads);

}  // namespace attention::ladder
