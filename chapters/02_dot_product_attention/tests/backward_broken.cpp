// Tests of the tests: backward passes that are wrong in the usual ways, each of which the ladder's check must
// catch.
#include <algorithm>
#include <cmath>
#include <thread>

#include "backward.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "rungs/backward_rungs.hpp"
#include "sanitized.hpp"

using namespace attention;
using namespace attention::dot_product;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool forget_delta = false;      ///< dS = P ∘ dP
  bool forget_last_tile = false;  ///< keys beyond the last whole tile of 16 are left out
  bool wrong_scale = false;       ///< 1/dim instead of 1/sqrt(dim) in dQ
  bool no_key_scale = false;      ///< dK is not scaled
  bool transposed = false;        ///< dQ is made of dSᵀ, where both are square
  bool ignore_mask = false;
  bool weights_for_gradients = false;  ///< dK is made of P instead of dS
  bool race = false;                   ///< threads share the queries, and add to the same gradients of keys
};

/// The backward pass in plain loops, right but for `faults`.
template <Faults faults>
void broken(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  const Index dim = p.dim();
  const Index value_dim = p.value_dim();
  const Index whole = std::max(p.keys() / 16 * 16, std::min<Index>(p.keys(), 16));
  std::fill(out.query_gradient.begin(), out.query_gradient.end(), 0.F);
  std::fill(out.key_gradient.begin(), out.key_gradient.end(), 0.F);
  std::fill(out.value_gradient.begin(), out.value_gradient.end(), 0.F);
  for (Index head = 0; head < p.all_heads(); ++head) {
    const auto row = [&](Index i) {
      const float* query = p.query_of(head) + i * dim;
      const float* gradient = p.output_gradient_of(head) + i * value_dim;
      float delta = 0;
      for (Index c = 0; c < value_dim; ++c) delta += gradient[c] * p.output_of(head)[i * value_dim + c];
      if (faults.forget_delta) delta = 0;
      KeyRange seen = p.mask.keys_of(i, p.keys());
      if (faults.ignore_mask) seen = {0, p.keys()};
      if (faults.forget_last_tile) seen.last = std::min(seen.last, whole);
      for (Index j = seen.first; j < seen.last; ++j) {
        float score = 0;
        float weight_gradient = 0;
        for (Index c = 0; c < dim; ++c) score += query[c] * p.key_of(head)[j * dim + c];
        for (Index c = 0; c < value_dim; ++c)
          weight_gradient += gradient[c] * p.value_of(head)[j * value_dim + c];
        const float weight = std::exp(score * p.scale - p.lse_of(head)[i]);
        const float score_gradient = weight * (weight_gradient - delta);
        const bool turn = faults.transposed && i < p.keys() && j < p.queries();
        for (Index c = 0; c < dim; ++c) {
          out.query_gradient_of(head)[(turn ? j : i) * dim + c] +=
              (faults.wrong_scale ? p.scale * p.scale : p.scale) * score_gradient *
              p.key_of(head)[(turn ? i : j) * dim + c];
          float& key_gradient = out.key_gradient_of(head)[j * dim + c];
          const float before = key_gradient;
          if (faults.race && c == 0) std::this_thread::yield();
          key_gradient = before + (faults.no_key_scale ? 1 : p.scale) *
                                      (faults.weights_for_gradients ? weight : score_gradient) * query[c];
        }
        for (Index c = 0; c < value_dim; ++c)
          out.value_gradient_of(head)[j * value_dim + c] += weight * gradient[c];
      }
    };
    if constexpr (faults.race) {
#pragma omp parallel for schedule(static, 1)
      for (Index i = 0; i < p.queries(); ++i) row(i);
    } else {
      for (Index i = 0; i < p.queries(); ++i) row(i);
    }
  }
}

template <Faults faults>
std::string fault(bool parallel = false) {
  return tests::fault_of(backward(), broken<faults>, parallel);
}

/// Forward's answer is off: the backward pass of a wrong O or lse is wrong, too.
template <bool wrong_output>
void stale_forward(const BackwardProblem& p, BackwardOutput& out) {
  BackwardProblem wrong = p;
  for (float& x : wrong.output)
    if (wrong_output) x *= 1.01F;
  for (float& x : wrong.lse)
    if (!wrong_output) x += 0.01F;
  backward_fused(wrong, out);
}

}  // namespace

TEST_CASE("the broken backward pass's own loops are right without a fault", "[broken][backward]") {
  CHECK(fault<Faults{}>().empty());
}
TEST_CASE("a forgotten D is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.forget_delta = true}>().empty());
}
TEST_CASE("a forgotten last tile of the backward pass is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.forget_last_tile = true}>().empty());
}
TEST_CASE("a wrong scale of dQ is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.wrong_scale = true}>().empty());
}
TEST_CASE("a missing scale of dK is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.no_key_scale = true}>().empty());
}
TEST_CASE("a transposed dS is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.transposed = true}>().empty());
}
TEST_CASE("a backward pass without its mask is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.ignore_mask = true}>().empty());
}
TEST_CASE("a dK of P instead of dS is caught", "[broken][backward]") {
  CHECK_FALSE(fault<Faults{.weights_for_gradients = true}>().empty());
}
TEST_CASE("a forward that was 1 in 100 off is caught", "[broken][backward]") {
  CHECK_FALSE(tests::fault_of(backward(), stale_forward<true>).empty());
  CHECK_FALSE(tests::fault_of(backward(), stale_forward<false>).empty());
}
TEST_CASE("a race over the queries is caught", "[broken][backward]") {
  if constexpr (tests::thread_sanitized) {
    WARN("left out: the thread sanitizer would report the race and end the tests");
  } else {
    CHECK_FALSE(fault<Faults{.race = true}>(true).empty());
  }
}
