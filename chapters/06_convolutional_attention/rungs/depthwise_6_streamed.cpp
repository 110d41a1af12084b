// Rung 6, streamed: the output goes past the caches.
//
// What changed: the store instruction. A row is seldom a whole number of cache lines, a band mostly is: its outputs are
// gathered in the nearest cache and written from there as one run. An ordinary store fetches the line that it
// overwrites; a streaming store does not. One read and one write of the image remain, and that is the roof.
#include "rungs/depthwise_rows.hpp"

namespace attention::convolutional {

void depthwise_streamed(const DepthwiseProblem& p, ConvolutionOutput& out) { depthwise_bands<true>(p, out); }

}  // namespace attention::convolutional
