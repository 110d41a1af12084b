#pragma once

#include <nlohmann/json.hpp>

namespace attention {

/// JSON whose keys stay in the order in which they were put in: results are read by people, too.
using Json = nlohmann::ordered_json;

}  // namespace attention
