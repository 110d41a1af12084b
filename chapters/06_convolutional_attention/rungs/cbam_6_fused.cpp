// Rung 6, fused: once the channel gates are known, one pass makes the rest, band of rows by band of rows; the output goes past the
// caches.
//
// What changed: the pools over the channels need no more than the channel gates, and a row's spatial gate needs the pools of
// three rows above and below. So a band is pooled, convolved and multiplied before the next band is read. The last pass finds its
// rows in the cache even where a whole image does not fit: two passes over the maps remain, and the first cannot be joined to the
// second, since the channel gates need every place. Streaming stores, as for the channel gates: no line of the output is fetched.
#include <numeric>

#include "rungs/cbam_image.hpp"
#include "rungs/cbam_rungs.hpp"

namespace attention::convolutional {

Index cbam_band_rows(const CbamProblem& p) {
  const Index step = 16 / std::gcd(Index{16}, p.width());
  const Index fits = std::max<Index>(65536 / (p.channels() * p.width()), 1);
  const Index bands = (p.height() + fits - 1) / fits;
  const Index rows = (p.height() + bands - 1) / bands;
  return std::min((rows + step - 1) / step * step, p.height());
}

void cbam_fused(const CbamProblem& p, CbamOutput& out) { cbam_image_by_image<true>(p, out, cbam_band_rows(p)); }

std::size_t cbam_fused_workspace(const CbamProblem& p) {
  return static_cast<std::size_t>(omp_get_max_threads()) * CbamScratch::bytes(p, cbam_band_rows(p));
}

}  // namespace attention::convolutional
