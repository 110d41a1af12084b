#pragma once

#include <cstddef>

namespace attention::machine {

// The loops whose speed is the memory's. Each walks `floats` floats in `streams` (1, 2, 4 or 8) equal parts
// side by side; `floats` is a multiple of 8 * 64. Addresses are aligned to 64 bytes.

/// Reads every float; what comes out depends on all of them. With `prefetch` it asks for each line 1 KiB
/// ahead.
float read_streams(const float* from, std::size_t floats, int streams, bool prefetch);

/// Writes every float, past the caches where non_temporal says so.
void write_streams(float* to, std::size_t floats, int streams, bool non_temporal);

/// Copies every float; `from` and `to` do not overlap.
void copy_streams(const float* from, float* to, std::size_t floats, int streams, bool non_temporal);

}  // namespace attention::machine
