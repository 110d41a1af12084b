#pragma once

namespace attention::machine {

/// Evaluations of 2^x per second by `threads` pinned threads together, with the project's own simd::exp2,
/// operands and results in the first-level cache: the best of several unrollings and of short runs during
/// `seconds`. e^x costs one multiplication more. Errors as use_threads.
double measure_exp_rate(int threads, double seconds = 0.002);

/// Divisions 1/x per second (float32, correctly rounded), measured likewise.
double measure_reciprocal_rate(int threads, double seconds = 0.002);

}  // namespace attention::machine
