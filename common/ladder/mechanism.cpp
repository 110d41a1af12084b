#include "ladder/mechanism.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ladder/registry.hpp"
#include "program/error.hpp"

namespace attention::ladder {

std::size_t AnyMechanism::rung_index(std::string_view rung) const {
  std::vector<std::string> names;
  for (const RungInfo& info : rungs()) {
    if (info.name == rung) return names.size();
    names.push_back(info.name);
  }
  throw program::UserError(fmt::format("{} has no rung '{}'; its rungs are {}", name(), rung, fmt::join(names, ", ")));
}

const AnyMechanism& find_mechanism(const std::vector<MechanismPtr>& mechanisms, std::string_view name) {
  std::vector<std::string> names;
  for (const MechanismPtr& mechanism : mechanisms) {
    if (mechanism->name() == name) return *mechanism;
    names.push_back(mechanism->name());
  }
  throw program::UserError(fmt::format("there is no mechanism '{}'; there are {}", name, fmt::join(names, ", ")));
}

}  // namespace attention::ladder
