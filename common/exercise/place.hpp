#pragma once

#include <any>
#include <string>

#include "exercise/child.hpp"
#include "exercise/exercise.hpp"

namespace attention::exercise {

/// Times a right rung beside the ladder's own, and gives the table that says where it stands, its share of the roof,
/// the mark it earns and what the next one asks for. Throws as ladder::climb does.
std::string place(const Exercise& exercise, const std::any& run, const Doing& doing);

/// "gold", "silver", "bronze", or nothing.
std::string mark_for(double share, const Marks& marks);

}  // namespace attention::exercise
