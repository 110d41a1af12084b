// Tests of the tests: backward passes of coordinate attention that are wrong in the usual ways, each of which the
// ladder's check must catch.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "catch.hpp"
#include "check_rung.hpp"
#include "coordinate_backward.hpp"
#include "rungs/coordinate_backward_passes.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung; each is right but for one thing.
enum class Fault {
  none,
  gates_alone,
  no_division,
  exchanged,
  own_gate,
  other_slope,
  forget_last_row,
  unsummed,
  no_reduce_bias,
  race
};

/// The plain parts, wrong in one of them.
template <Fault fault>
struct Parts : CoordinateBackwardPlain {
  static void gather(const CoordinateBackwardProblem& p, Index m, float* rows, float* columns) {
    CoordinateBackwardPlain::gather(p, m, rows, columns);
    // The rows weighted with their own gate instead of the columns'.
    if (fault == Fault::own_gate) {
      const CoordinateProblem& f = p.forward;
      for (Index i = 0; i < f.height(); ++i) {
        const float gate = p.row_gate.data()[m * f.height() + i];
        rows[i] = 0;
        for (Index j = 0; j < f.width(); ++j)
          rows[i] += f.input.data()[m * f.places() + i * f.width() + j] *
                     p.output_gradient.data()[m * f.places() + i * f.width() + j];
        rows[i] *= gate * gate * (1 - gate);
      }
    }
    if (fault == Fault::forget_last_row && p.forward.height() > 1) rows[p.forward.height() - 1] = 0;
  }
  static void spread(const CoordinateBackwardProblem& p, Index m, float* rows, float* columns, float* scratch,
                     CoordinateBackwardOutput& out) {
    // The gates taken for constants.
    if (fault == Fault::gates_alone) {
      std::fill_n(rows, p.forward.height(), 0.F);
      std::fill_n(columns, p.forward.width(), 0.F);
    }
    // Sums instead of means.
    if (fault == Fault::no_division) {
      for (Index i = 0; i < p.forward.height(); ++i) rows[i] *= static_cast<float>(p.forward.width());
      for (Index j = 0; j < p.forward.width(); ++j) columns[j] *= static_cast<float>(p.forward.height());
    }
    CoordinateBackwardPlain::spread(p, m, rows, columns, scratch, out);
  }
};

template <Fault fault>
void broken(const CoordinateBackwardProblem& given, CoordinateBackwardOutput& out) {
  CoordinateBackwardProblem p = given;
  // Units below −3, whose slope is 0, moved to where it is not: as if δ had been taken for something smoother.
  if (fault == Fault::other_slope)
    for (float& b : p.forward.reduce_bias) b += 0.5F;
  coordinate_backward_in_passes<Parts<fault>>(p, out, false);
  if (fault == Fault::exchanged) std::swap(out.row_weight, out.column_weight);
  if (fault == Fault::no_reduce_bias) out.reduce_bias.fill(0);
  if (fault == Fault::unsummed)
    for (float& x : out.row_bias) x /= static_cast<float>(p.forward.batch());
  // What a race does, a result that depends on the number of threads, without one.
  if (fault == Fault::race)
    out.row_bias.data()[0] += 1e-6F * static_cast<float>(omp_get_max_threads()) * std::abs(out.row_bias.data()[0]);
}

template <Fault fault>
std::string found(bool parallel = false) {
  return tests::fault_of(coordinate_backward(), broken<fault>, parallel);
}

}  // namespace

TEST_CASE("coordinate backward: the broken pass is right without a fault", "[coordinate][backward][broken]") {
  CHECK(found<Fault::none>() == "");
}
TEST_CASE("coordinate backward: gates taken for constants are caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::gates_alone>().empty());
}
TEST_CASE("coordinate backward: a forgotten division of the means is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::no_division>().empty());
}
TEST_CASE("coordinate backward: exchanged rows and columns are caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::exchanged>().empty());
}
TEST_CASE("coordinate backward: a gate's own gate as its weight is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::own_gate>().empty());
}
TEST_CASE("coordinate backward: another δ is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::other_slope>().empty());
}
TEST_CASE("coordinate backward: a forgotten last row is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::forget_last_row>().empty());
}
TEST_CASE("coordinate backward: a mean over the images instead of a sum is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::unsummed>().empty());
}
TEST_CASE("coordinate backward: forgotten gradients of the first layer's bias are caught",
          "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::no_reduce_bias>().empty());
}
TEST_CASE("coordinate backward: what depends on the number of threads is caught", "[coordinate][backward][broken]") {
  CHECK_FALSE(found<Fault::race>(true).empty());
}
