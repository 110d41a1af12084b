#pragma once

namespace attention::machine {

/// Float32 floating-point operations per second that `threads` pinned threads reach together at most: fused
/// multiply-adds on registers only, two operations per lane, in 8 to 24 independent chains (a multiply-add
/// takes 4 or 5 cycles, and two can start in each cycle, so fewer chains would measure latency). The best of
/// all chain counts, of the widths that the build may use, and of many short runs during `seconds`.
///
/// Compiled without FMA (the portable build), a multiplication and an addition stand for it: the peak of that
/// build, which is a half of an FMA's at best. Counts the wall time of the slowest thread. Errors as
/// use_threads.
double measure_fma_peak(int threads, double seconds = 0.005);

/// The same of bfloat16 products, by the dot-product instruction of AVX512_BF16: four operations per lane. 0 where
/// simd::has_bfloat16_dot() says that there is none.
double measure_bfloat16_peak(int threads, double seconds = 0.005);

}  // namespace attention::machine
