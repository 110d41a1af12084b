#pragma once

#include "machine/roofs.hpp"
#include "program/json.hpp"

namespace attention::machine {

/// What a result file says about where it was measured:
///
///   cpu, extensions, cpus_available, caches {l1d, l2, l3: {bytes, line_bytes, shared_by}}, memory_bytes,
///   operating_system, kernel, compiler, flags, build_type, instruction_set {compiled, cpu},
///   openblas {version, core, parallel} or null, xtensor, threads {pinned, cpus: where they are placed, in
///   order}, date (UTC, ISO 8601, now).
///
/// Neither the host's name nor the user's.
Json describe();

/// The roofs measured so far in this run, one entry for each number of threads:
/// {threads, measurements, and for each roof {unit, best, median, spread}}. Measures nothing.
Json describe_roofs(Roofs& roofs);

}  // namespace attention::machine
