// Tests of the tests: backward passes of the non-local block that are wrong in the usual ways, each of which the
// ladder's check must catch.
#include <omp.h>

#include <algorithm>

#include "backward_rung.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "non_local_backward.hpp"
#include "rungs/non_local_backward_channel.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool no_residual = false;
  bool forget_last_tile = false;  ///< positions beyond the last whole 16 do not reach the weights
  bool scaled = false;            ///< the scale of dot-product attention, which this block has not
  bool exchanged = false;         ///< dθ and dφ exchanged
  bool unsummed = false;          ///< the last image alone instead of the sum over images
  bool turned = false;            ///< W_z read column by column
  bool stale = false;             ///< forward's means 1 in 1,000 off
  bool race = false;              ///< sums that depend on the number of threads
};

/// The loops, right but for `faults`.
template <Faults faults>
void broken(const NonLocalBackwardProblem& given, NonLocalBackwardOutput& out) {
  NonLocalBackwardProblem p = given;
  prepare(p, out);
  const NonLocalProblem& f = p.forward;
  if (faults.turned)
    for (Index c = 0; c < f.channels(); ++c)
      for (Index e = 0; e < f.inner(); ++e)
        p.forward.out_weight.data()[c * f.inner() + e] = given.forward.out_weight.data()[e * f.channels() + c];
  if (faults.scaled) p.kept.scale = 0.5F;
  if (faults.stale)
    for (float& x : p.kept.output) x *= 1.001F;
  for (Index i = 0; i < f.batch() * f.positions(); ++i)
    mean_gradient(p, i, p.kept.output_gradient.data() + i * f.inner());
  dot_product::BackwardOutput middle;
  dot_product::backward_rung("loops").run(p.kept, middle);
  for (Index c = 0; c < f.channels(); ++c) channel_gradients(p, c, middle, out);
  const auto subtract = [&](Index b, Index i) {
    for (Index c = 0; c < f.channels(); ++c)
      for (Index e = 0; e < f.inner(); ++e)
        out.g.data()[e * f.channels() + c] -= f.image_of(b)[c * f.positions() + i] *
                                              middle.value_gradient.data()[(b * f.positions() + i) * f.inner() + e];
  };
  if (faults.forget_last_tile)
    for (Index b = 0; b < f.batch(); ++b)
      for (Index i = std::max<Index>(f.positions() / 16 * 16, 1); i < f.positions(); ++i) subtract(b, i);
  if (faults.unsummed)
    for (Index b = 0; b + 1 < f.batch(); ++b)
      for (Index i = 0; i < f.positions(); ++i) subtract(b, i);
  if (faults.no_residual)
    for (std::size_t i = 0; i < out.input.size(); ++i) out.input.data()[i] -= p.output_gradient.data()[i];
  if (faults.exchanged) std::swap(out.theta, out.phi);
  // What a race does, a result that depends on the number of threads, without one.
  if (faults.race)
    out.theta.data()[0] += 1e-6F * static_cast<float>(omp_get_max_threads()) * std::abs(out.theta.data()[0]);
}

template <Faults faults>
std::string fault(bool parallel = false) {
  return tests::fault_of(non_local_backward(), broken<faults>, parallel);
}

}  // namespace

TEST_CASE("non-local backward: the loops of these tests pass where nothing is wrong", "[non_local][backward][broken]") {
  CHECK(fault<Faults{}>() == "");
}
TEST_CASE("non-local backward: a missing residual is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.no_residual = true}>().empty());
}
TEST_CASE("non-local backward: a forgotten last tile is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.forget_last_tile = true}>().empty());
}
TEST_CASE("non-local backward: a scale that does not belong is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.scaled = true}>().empty());
}
TEST_CASE("non-local backward: dθ and dφ exchanged is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.exchanged = true}>().empty());
}
TEST_CASE("non-local backward: an image that is not added is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.unsummed = true}>().empty());
}
TEST_CASE("non-local backward: a transposed W_z is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.turned = true}>().empty());
}
TEST_CASE("non-local backward: forward's means 1 in 1,000 off are caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.stale = true}>().empty());
}
TEST_CASE("non-local backward: what depends on the number of threads is caught", "[non_local][backward][broken]") {
  CHECK_FALSE(fault<Faults{.race = true}>(true).empty());
}
