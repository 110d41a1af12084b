// Tests of the tests: non-local blocks that are wrong in the usual ways, each of which the ladder's check must catch.
#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "ladder/publish.hpp"
#include "non_local.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool none = false;
  bool no_residual = false;
  bool keep_maximum = false;        ///< the largest score is not subtracted
  bool forget_last_tile = false;    ///< positions beyond the last whole 16 are not looked at
  bool softmax_over_queries = false;
  bool scaled = false;              ///< 1/sqrt(inner), which dot-product attention has and this block has not
  bool exchanged = false;           ///< θ and φ exchanged
};

template <Faults faults>
void broken(const NonLocalProblem& p, NonLocalOutput& out) {
  prepare(p, out, false);
  const Index positions = p.positions();
  const Index inner = p.inner();
  const Index seen = faults.forget_last_tile && positions > 16 ? positions / 16 * 16 : positions;
  const float scale = faults.scaled ? 1 / std::sqrt(static_cast<float>(inner)) : 1;
  const auto embedded = [&](const Tensor<2>& weight, Index b) {
    std::vector<float> rows(static_cast<std::size_t>(positions * inner));
    for (Index i = 0; i < positions; ++i)
      for (Index e = 0; e < inner; ++e)
        for (Index c = 0; c < p.channels(); ++c)
          rows[static_cast<std::size_t>(i * inner + e)] += weight.data()[e * p.channels() + c] * p.image_of(b)[c * positions + i];
    return rows;
  };
  for (Index b = 0; b < p.batch(); ++b) {
    const std::vector<float> theta = embedded(faults.exchanged ? p.phi : p.theta, b);
    const std::vector<float> phi = embedded(faults.exchanged ? p.theta : p.phi, b);
    const std::vector<float> g = embedded(p.g, b);
    const auto score = [&](Index i, Index j) {
      float sum = 0;
      for (Index e = 0; e < inner; ++e) sum += theta[static_cast<std::size_t>(i * inner + e)] * phi[static_cast<std::size_t>(j * inner + e)];
      return sum * scale;
    };
    for (Index i = 0; i < positions; ++i) {
      const auto pair = [&](Index j) { return faults.softmax_over_queries ? score(j, i) : score(i, j); };
      float largest = pair(0);
      for (Index j = 1; j < seen; ++j) largest = std::max(largest, pair(j));
      if (faults.keep_maximum) largest = 0;
      float total = 0;
      std::vector<float> y(static_cast<std::size_t>(inner));
      for (Index j = 0; j < seen; ++j) {
        const float weight = std::exp(pair(j) - largest);
        total += weight;
        for (Index e = 0; e < inner; ++e) y[static_cast<std::size_t>(e)] += weight * g[static_cast<std::size_t>(j * inner + e)];
      }
      for (Index c = 0; c < p.channels(); ++c) {
        float z = 0;
        for (Index e = 0; e < inner; ++e) z += p.out_weight.data()[c * inner + e] * (y[static_cast<std::size_t>(e)] / total);
        const Index at = (b * p.channels() + c) * positions + i;
        out.output.data()[at] = z + (faults.no_residual ? 0 : p.input.data()[at]);
      }
    }
  }
}

std::string fault_of(void (*run)(const NonLocalProblem&, NonLocalOutput&)) {
  // The check must keep the mechanism's other parts: only the ladder is another.
  static NonLocal changed;
  changed = non_local();
  changed.ladder = {{"broken", "wrong on purpose", run, nullptr, {}, false}};
  return tests::fault_of(*ladder::publish(changed), 0);
}

}  // namespace

TEST_CASE("non-local: the loops of these tests pass where nothing is wrong", "[non_local][broken]") {
  CHECK(fault_of(broken<Faults{.none = true}>) == "");
}
TEST_CASE("non-local: a missing residual is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.no_residual = true}>).empty());
}
TEST_CASE("non-local: a kept maximum is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.keep_maximum = true}>).empty());
}
TEST_CASE("non-local: a forgotten last tile is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.forget_last_tile = true}>).empty());
}
TEST_CASE("non-local: a softmax over the wrong axis is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.softmax_over_queries = true}>).empty());
}
TEST_CASE("non-local: a scale that does not belong is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.scaled = true}>).empty());
}
TEST_CASE("non-local: θ and φ exchanged is caught", "[non_local][broken]") {
  CHECK_FALSE(fault_of(broken<Faults{.exchanged = true}>).empty());
}
