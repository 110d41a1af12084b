#pragma once

#include <any>
#include <string>

#include "exercise/check.hpp"
#include "program/json.hpp"

namespace attention::exercise {

/// What the reader's file was compiled with beyond the usual.
enum class Sanitizer { none, address, thread };

/// check() in a process of its own: a rung that crashes, never comes back or is stopped by a sanitizer gets a verdict
/// too. The caller must not have used OpenMP.
Verdict examine(const Exercise& exercise, const std::any& run, Sanitizer sanitizer);

Json to_json(const Verdict& verdict);
Verdict verdict_of(const Json& json);

}  // namespace attention::exercise
