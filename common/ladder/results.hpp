#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "ladder/measurement.hpp"
#include "machine/roofs.hpp"
#include "program/json.hpp"

namespace attention::ladder {

/// The one figure a name that others compare and quote.
struct Figure {
  std::string name;
  double value = 0;
  std::string unit;  ///< "1" for shares and rates
  std::string meaning;
};

/// Where a chapter puts its results: `results`/`chapter`, or its subfolder quick/ in quick mode, so that a quick run never
/// overwrites a full one. Every file says on which machine, when, from which data and in which mode it was made.
class Results {
 public:
  /// Makes the folder. Throws UserError where it cannot be written.
  Results(const std::filesystem::path& results, const std::string& chapter, bool quick, bool real_data);

  const std::filesystem::path& folder() const { return folder_; }
  const Json& machine() const { return machine_; }

  /// Removes what an earlier call of the same kind left: first summary.json, which says that all is there, then every file whose name
  /// begins with one of `prefixes`. Throws std::filesystem::filesystem_error.
  void remove_former(std::initializer_list<std::string_view> prefixes) const;

  /// Writes `content` as NAME.json, with schema, machine, data and mode added. Throws UserError.
  void write(const std::string& name, Json content) const;

  /// Writes summary.json: {"schema", "machine", "data", "mode", "figures": [{name, value, unit, meaning}]}.
  void write_summary(const std::vector<Figure>& figures) const;

  /// The machine, with the roofs that `roofs` has measured in this run.
  void add_roofs(machine::Roofs& roofs);

 private:
  std::filesystem::path folder_;
  Json machine_;
  std::string data_;
  std::string mode_;
};

/// A JSON array of measurements.
Json to_json(const std::vector<Measurement>& measurements);

}  // namespace attention::ladder
