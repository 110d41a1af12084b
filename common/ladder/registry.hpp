#pragma once

#include <string_view>
#include <vector>

#include "ladder/mechanism.hpp"

namespace attention::ladder {

/// Every mechanism of every chapter that was built, in the order of the chapters. Defined by the build (attention_registry).
const std::vector<MechanismPtr>& all_mechanisms();

/// The mechanism called `name` among `mechanisms`. Throws UserError, listing the names, where there is none.
const AnyMechanism& find_mechanism(const std::vector<MechanismPtr>& mechanisms, std::string_view name);

}  // namespace attention::ladder
