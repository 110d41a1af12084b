#include "ladder/mechanism.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

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

void AnyMechanism::require_inputs(std::size_t tensors, const std::map<std::string, double>& settings) const {
  if (tensors != tensor_names().size())
    throw program::UserError(fmt::format("{} takes {} tensors ({}), {} were given", name(), tensor_names().size(),
                                         fmt::join(tensor_names(), ", "), tensors));
  require_settings(settings, this->settings(), name());
}

const StandardShape& headline_shape(const AnyMechanism& mechanism) {
  const auto& shapes = mechanism.standard_shapes();
  const auto marked = std::ranges::find_if(shapes, [](const StandardShape& shape) { return shape.headline; });
  return marked == shapes.end() ? shapes.at(0) : *marked;
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
